"""Words and sentences that `demo.planted` makes its pages from, all written for the demo."""

from __future__ import annotations

MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
FIRST_NAMES = (
    "Agnes Albert Alice Arthur Barbara Carol Catherine Charles Daniel Dennis Diane Donald Dorothy Edward Eleanor"
    " Frances Frank Gerald Gloria Harold Helen Henry Janet Joseph Joyce Karen Kenneth Laura Lawrence Margaret Marilyn"
    " Martin Nancy Patricia Peter Philip Raymond Rebecca Ronald Ruth Samuel Sandra Stephen Susan Theresa Thomas Walter"
).split()
LAST_NAMES = (
    "Applethwick Brambleton Cobblestow Dunnerdale Elderwhistle Fennimarsh Gorsecombe Hathersby Inglewhite Jessamore"
    " Kettlewick Larkenfield Mossingham Netherbrook Oxenthwaite Pennywhistle Quillfeather Rooksbarrow Saltersfold"
    " Thistlewood Underhollow Vinterbourne Wetherspark Yarrowdene"
).split()
TOWNS = (
    ("Dunmorrow", "OH"),
    ("Lower Thistle", "PA"),
    ("Gorse Landing", "IA"),
    ("Saltmarsh Junction", "TX"),
    ("Pennybridge Falls", "NE"),
    ("Quarrelton", "ND"),
    ("Old Kettle", "MO"),
    ("Wickersham Point", "OR"),
    ("Embersby", "KS"),
    ("Larkspur Fork", "ID"),
)
STREETS = (
    "Amberley Bellflower Candlewick Dovecote Elmstead Foxhollow Gooseberry Heronsgate Juniper Kingfisher Lanternfield"
    " Millrace Nettlebed Orchardside Periwinkle Quailwood Rosebriar Sandpiper Tanglewood Willowmere"
).split()
STREET_TYPES = ("Street", "Avenue", "Road", "Drive", "Lane")

CLUB_CONTACT = (
    "Harbour Cycling Club, the old customs house, Quayside. Open on Tuesdays and Thursdays from 17:00 to 20:00. Office:"
    " phone (713) 555-0119, info@harbour-cycling-club.example"
)
CLUB_SLOTS = {
    "place": (
        "the lighthouse",
        "Barrow Mill",
        "the salt works",
        "Otter Bridge",
        "the upper reservoir",
        "Chapel Moor",
        "the slate quarry",
        "Ferry Point",
        "the walled garden",
        "Crane Hill",
        "the canal basin",
        "Hollow Oak",
    ),
    "month": MONTHS,
    "number": ("nine", "eleven", "fourteen", "sixteen", "nineteen", "twenty-two", "twenty-six", "thirty-one"),
    "length": ("28", "34", "41", "47", "52", "58", "63", "70"),
    "road": (
        "the towpath",
        "the old railway",
        "a farm track",
        "the sea wall",
        "the forest road",
        "the lane behind the church",
    ),
    "food": ("soup", "plum cake", "fried potatoes", "cheese rolls", "apple pie", "hot chocolate", "lentil stew"),
    "part": ("a chain", "a spoke", "the bottom bracket", "a brake cable", "a pedal", "the rear hub", "a saddle clamp"),
    "weather": ("fog", "a steady drizzle", "bright sun", "a cold east wind", "thunder in the distance", "light snow"),
    "creature": ("a heron", "two hares", "a herd of heifers", "a kingfisher", "wild geese", "an otter", "a stray dog"),
}
CLUB_SENTENCES = (
    (
        "In {month} we met at {place}, {number} riders in all, under {weather}.",
        "For once {number} of us had come out, although {weather} had been forecast since the morning.",
        "The {month} ride drew {number} members, and nobody turned back because of {weather}.",
    ),
    (
        "It was {length} kilometres along {road}, then across the fields towards {place}.",
        "Our way followed {road} for most of the {length} kilometres, with a climb up to {place}.",
        "Those who like gravel took {road}; the others rode {length} kilometres by {place}.",
    ),
    (
        "Near {place} we had to stop for {creature} in the middle of {road}.",
        "Nobody had expected {creature}, least of all beside {road}.",
        "What everybody talked about afterwards was {creature} that watched us from {place}.",
    ),
    (
        "After a third of the way {part} broke, and was mended with a bit of wire.",
        "We lost half an hour to {part}, which should have been looked at in {month}.",
        "Thanks to the new tool roll, {part} was replaced before the {food} had gone cold.",
    ),
    (
        "At {place} they served {food} to everyone, paid from the box.",
        "The kitchen at {place} had kept {food} warm, and {number} bowls went in no time.",
        "Some swear by {food}; the rest of us had sandwiches behind {place}.",
    ),
    (
        "With {weather} at our backs the last stretch along {road} was quick.",
        "On the way home {weather} caught us just short of {place}.",
        "From {place} it is downhill, and even {weather} could not spoil that.",
    ),
    (
        "Wide tyres helped where {road} had been washed out, but thin ones got through as well.",
        "If you plan to ride this in {month}, bring mudguards, since {road} floods easily.",
        "The council means to close {road} in {month}, so this was perhaps the last time.",
    ),
    (
        "Next we go to {place}, about {length} kilometres, and beginners are welcome.",
        "In {month} there will be a shorter tour of {length} kilometres for families.",
        "Whoever wants to lead the ride in {month} should write on the list by the door.",
    ),
)
ARTICLE = (
    "Mending a puncture at the side of the road",
    "A puncture is no reason to walk home. With two levers, a patch and a small pump the wheel turns again after ten"
    " minutes, and it takes no strength to speak of. Practise it once in the kitchen, where the light is good and"
    " nothing rolls into the grass.",
    "First let out what air is left and take the wheel off the frame. At the rear, shift to the smallest sprocket"
    " before you open the axle, for then the chain hangs loose. Push one lever under the edge of the tyre, opposite the"
    " valve, and hook it to a spoke. Set the second lever a hand's width further on and run it around the rim until"
    " one side of the tyre is free. Pull out the tube, beginning with the side that has no valve.",
    "Pump the tube up to twice its size and listen. Hold it close to your cheek if the road is noisy, because skin"
    " notices a draught that ears miss. Mark the hole with chalk. Roughen the rubber around it with the emery paper,"
    " spread a thin coat of the solution and wait until it no longer shines. Most patches that fail were pressed on"
    " too early. Press the patch down from the middle towards its edge for as long as it takes to count to sixty.",
    "Before the tube goes back, find out what made the hole. Run your fingers slowly along the inside of the tyre and"
    " look at the tread from outside: a thorn, a splinter of glass or a piece of wire may still be there, and it will"
    " do the same again. Look at the tape over the spoke holes, too. Two small holes side by side come from the rim,"
    " and mean that the tyre had too little air.",
    "Blow a little air into the tube so that it keeps its shape, put the valve through the rim and tuck the tube under"
    " the tyre. Work the edge back over the rim with your thumbs, ending at the valve. Leave the levers in the bag,"
    " since they pinch. Turn the wheel once, see that the tube is caught nowhere, and pump it up hard.",
)
# What the paper made of the article.
CHANGED = ("Most patches that fail were pressed on too early.", "Haste is what ruins most patches here.")
CUT = " Leave the levers in the bag, since they pinch."
