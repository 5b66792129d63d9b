"""Third batch of templates of planted sites of firms, offices and people at work, which look heavy and are not.

As `bench/site_heavy.py`: from a `Setting` to what makes the site's pages. Records are written as heavy sites of this batch
have them (`export`); they are of firms, of people in office, or of people reached at their work.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bench.site_filler import Setting, zipf
from bench.site_heavy import PageMaker
from bench.site_more_heavy import money
from bench.site_people import ascii_slug, digits
from bench.site_third_heavy import export
from bench.site_work import office_address


def catalogue(
    setting: Setting,
    make: Callable[[], dict[str, str]],
    sometimes: Sequence[str] = (),
    *,
    title: Callable[[int], str],
    told: int = 0,
    close: str = "",
) -> PageMaker:
    """Pages of records that `make` gives by column, some without the columns `sometimes`, and a line below each page."""
    rng = setting.rng
    left_out = rng.sample(sometimes, rng.randint(0, len(sometimes)))
    columns = [key for key in make() if key not in left_out]
    if rng.random() < 0.3:
        rng.shuffle(columns)
    heading, write = export(setting, columns)

    def record() -> str:
        values = make()
        text = write([values[key] for key in columns])
        return "\n".join((text, *setting.prose(rng.randint(told // 2, told)))) if told else text

    return lambda index, wanted: [title(index), *heading, *setting.fill(wanted - 6 - len(close.split()), record), close]


def _firm_of(setting: Setting, surname: str, trade: str) -> tuple[str, str]:
    """The name of a tradesman's firm, and its domain."""
    rng, people = setting.rng, setting.people
    name = rng.choice(
        (f"{surname} {trade}", f"{trade} {surname}", f"{trade} {rng.choice(people.pools.given)} {surname}")
    )
    return name, f"{ascii_slug(surname)}-{ascii_slug(trade)[:12]}.{people.firm()[1].rsplit('.', 1)[-1]}"


def regional_paper(setting: Setting) -> PageMaker:
    """Short news of a region: place in capitals, reporters' initials or names, the newsroom's address below."""
    rng, people, label = setting.rng, setting.people, setting.label
    reporters, form, desk = setting.staff(40), rng.randrange(3), people.phone()

    def item() -> str:
        name, email = zipf(rng, reporters)
        initials = "".join(word[0] for word in name.split()).lower()
        said = f"“{setting.title(most=14)}”, {label('said')} {people.name()}, {setting.some('jobs')}."
        signed = (f"({initials})", f"{label('by')} {name}", f"{name}, {email}")[form]
        told = setting.prose(rng.randint(30, 160))
        return "\n".join((setting.title(), f"{people.town().name.upper()}. {told[0]}", *told[1:], said, signed))

    foot = f"{label('news')}: {desk}, news@{setting.domain}"
    return lambda index, wanted: [people.written_date(people.day(2008, 2023)), *setting.fill(wanted - 8, item), foot]


def web_store(setting: Setting) -> PageMaker:
    """A shop's products by number, price and stock, and its telephone for orders."""
    rng, people, label = setting.rng, setting.people, setting.label

    def product() -> dict[str, str]:
        return {
            "part": digits(rng, rng.choice(("N######", "N###-###", "N########"))),
            "item": setting.title(most=6),
            "price": money(setting, 150),
            "stock": str(rng.randint(0, 400)),
            "serial": digits(rng, "40###########"),
        }

    close = f"{label('order')}: {people.phone()}, shop@{setting.domain}"
    return catalogue(
        setting,
        product,
        ("serial", "stock"),
        title=lambda index: setting.title(most=4),
        told=rng.choice((0, 30, 60)),
        close=close,
    )


def solicitors(setting: Setting) -> PageMaker:
    """A law firm: lawyers with their fields and direct lines, notes on new law by one of them."""
    rng, people, label = setting.rng, setting.people, setting.label
    base = people.phone()
    lawyers = [f"{name} · {people.extension(base)} · {email}" for name, email in setting.staff(30)]
    fields = [setting.title(most=3) for _ in range(12)]

    def lawyer(line: str) -> str:
        return f"{line}\n{label('works')}: {', '.join(rng.sample(fields, rng.randint(1, 4)))}"

    def page(index: int, wanted: int) -> list[str]:
        if index % 6 == 0:
            shown = rng.sample(lawyers, min(len(lawyers), max(1, wanted // 25)))
            return [label("about"), *map(lawyer, shown), *setting.prose(wanted - 20 * len(shown))]
        told = [f"{number}. {text}" for number, text in enumerate(setting.prose(wanted - 15), 1)]
        return [setting.title(), *told, f"{label('contact')}: {zipf(rng, lawyers)}"]

    return page


def research_institute(setting: Setting) -> PageMaker:
    """Staff of an institute: name, room, line, own-domain address; some with a project."""
    rng, people, label = setting.rng, setting.people, setting.label
    base, town = people.phone(), people.town().name

    def member() -> dict[str, str]:
        name = people.name()
        return {
            "name": f"{rng.choice(('Dr.', 'Prof.', '', ''))} {name}".strip(),
            "room": f"{rng.choice('ABCDE')}{rng.randint(0, 4)}.{rng.randint(1, 60):02}",
            "phone": people.extension(base),
            "email": people.work_email(name, setting.domain),
            "title": setting.title(),
        }

    return catalogue(
        setting,
        member,
        ("room", "title"),
        title=lambda index: f"{label('about')} {town} {setting.title(most=4)}",
        told=rng.choice((0, 20, 50)),
    )


def town_hall(setting: Setting) -> PageMaker:
    """What to do where: matters with the office, the official's name, line, room and hours."""
    rng, people, label = setting.rng, setting.people, setting.label
    clerks, base, hall = setting.staff(60), people.phone(), office_address(setting)

    def matter() -> dict[str, str]:
        name, email = zipf(rng, clerks)
        return {
            "item": setting.title(most=5),
            "contact": name,
            "room": str(rng.randint(1, 320)),
            "phone": people.extension(base),
            "email": email,
            "hours": f"{rng.randint(7, 9)}:30-12:00",
        }

    return catalogue(
        setting,
        matter,
        ("room", "hours", "contact"),
        title=lambda index: setting.title(most=5),
        told=rng.choice((0, 25, 60)),
        close=f"{label('office')}: {hall}",
    )


def tradesmen(setting: Setting) -> PageMaker:
    """Firms that bear their owners' names: trade, workshop's address, mobile telephone, own-domain e-mail."""
    rng, people = setting.rng, setting.people

    def firm() -> dict[str, str]:
        name, domain = _firm_of(setting, rng.choice(people.pools.surnames), setting.some("trades"))
        return {
            "firm": name,
            "director": people.name(),
            "office": office_address(setting),
            "mobile": people.phone(),
            "email": f"info@{domain}",
            "hours": f"7:00-{rng.randint(15, 18)}:00",
        }

    return catalogue(
        setting,
        firm,
        ("director", "email", "hours"),
        title=lambda index: f"{setting.some('trades')} {people.town().name}",
        told=rng.choice((0, 0, 30)),
    )


def therapists(setting: Setting) -> PageMaker:
    """Practitioners with their methods, the address and telephone number of the practice, hours."""
    rng, people = setting.rng, setting.people

    def practice() -> dict[str, str]:
        name = people.name()
        return {
            "practice": f"{rng.choice(('', 'Dr. ', 'M.A. '))}{name}",
            "works": ", ".join(setting.some("therapies") for _ in range(rng.randint(1, 3))),
            "office": office_address(setting),
            "phone": people.phone(),
            "hours": f"{rng.randint(8, 10)}-{rng.randint(17, 20)}",
            "email": people.work_email(
                name, f"{ascii_slug(name.split()[-1])}-{rng.choice(('praxis', 'therapy', 'studio'))}.com"
            ),
        }

    return catalogue(
        setting,
        practice,
        ("email", "hours"),
        title=lambda index: f"{setting.some('therapies')} {people.town().name}",
        told=rng.choice((0, 40, 90)),
    )


def realtors(setting: Setting) -> PageMaker:
    """Houses with prices and rooms under the agent who sells them, whose mobile number recurs."""
    rng, people, label = setting.rng, setting.people, setting.label
    agents = [f"{name}, {people.phone()}, {email}" for name, email in setting.staff(25)]

    def house() -> dict[str, str]:
        return {
            "rent": f"{people.town().name}, {rng.choice(people.pools.streets)}",
            "price": f"{rng.randint(60, 950)} 000",
            "room": f"{rng.randint(1, 8)}",
            "year": str(rng.randint(1890, 2023)),
            "agent": zipf(rng, agents),
        }

    return catalogue(
        setting,
        house,
        ("year", "room"),
        title=lambda index: f"{label('rent')} {people.town().name}",
        told=rng.choice((15, 40, 80)),
    )


def dealer_adverts(setting: Setting) -> PageMaker:
    """Second-hand cars and machines of dealers, each with the dealer's firm and telephone number."""
    rng, people, label = setting.rng, setting.people, setting.label
    dealers = [
        (people.firm()[0], people.phone(), office_address(setting)) for _ in range(max(3, min(300, setting.pages)))
    ]
    models = "Golf 1.6 TDI,Octavia Combi,Focus 1.0,Astra Sports Tourer,Clio IV,508 SW,Transit 310,Sprinter 313,Kubota B2261".split(
        ","
    )

    def advert() -> dict[str, str]:
        firm, phone, where = zipf(rng, dealers)
        return {
            "vehicle": f"{rng.choice(models)}, {rng.randint(1, 12):02}/{rng.randint(2005, 2023)}",
            "mileage": f"{rng.randint(5, 240)}.{rng.randint(0, 999):03} km",
            "price": money(setting, 7000),
            "dealer": firm,
            "phone": phone,
            "office": where,
        }

    return catalogue(
        setting,
        advert,
        ("office",),
        title=lambda index: f"{label('vehicle')} {people.town().name}",
        told=rng.choice((0, 20, 50)),
    )


def councillors(setting: Setting) -> PageMaker:
    """A council: members by group with district, line and own-domain addresses, minutes that name who spoke."""
    rng, people, label = setting.rng, setting.people, setting.label
    members = [(name, email, setting.some("parties")) for name, email in setting.staff(60)]
    base, minutes = people.phone(), rng.random() < 0.5

    def member() -> str:
        name, email, party = rng.choice(members)
        return f"{name} ({party}), {label('constituency')} {rng.randint(1, 40)}, {people.extension(base)}, {email}"

    def point() -> str:
        name, _, party = zipf(rng, members)
        return "\n".join(
            (
                f"{label('session')} {rng.randint(1, 40)}.{rng.randint(1, 20)} {setting.title()}",
                f"{name} ({party}):",
                *setting.prose(rng.randint(20, 110)),
            )
        )

    def page(index: int, wanted: int) -> list[str]:
        if minutes and index % 5:
            return [
                f"{label('committee')} {people.numeric_date(people.day(2009, 2023))}",
                *setting.fill(wanted - 2, point),
            ]
        return [f"{label('party')} {setting.some('parties')}", *setting.fill(wanted - 3, member)]

    return page


def annual_report(setting: Setting) -> PageMaker:
    """Reports of companies: members of the boards with years of birth and seats elsewhere, figures by year."""
    rng, people, label = setting.rng, setting.people, setting.label

    def seat() -> str:
        born = f" ({label('born')} {rng.randint(1944, 1980)})" if rng.random() < 0.5 else ""
        return f"{people.name()}{born}, {setting.some('seats')}; {people.firm()[0]}, {people.firm()[0]}"

    def figures() -> str:
        first = rng.randint(2002, 2019)
        return "\n".join(
            f"{label('revenue')} {year}: {rng.randint(1, 90)}.{rng.randint(0, 999):03}.{rng.randint(0, 999):03}"
            for year in range(first, first + 4)
        )

    def part() -> str:
        told = setting.prose(rng.randint(30, 120))
        return "\n".join((rng.choice((seat, seat, figures))(), *told))

    return lambda index, wanted: [
        f"{people.firm()[0]} {label('year')} {2003 + index % 20}",
        *setting.fill(wanted - 5, part),
    ]


def hotels(setting: Setting) -> PageMaker:
    """Hotels of a town: stars, address, desk's number, booking address, price, guests' notes."""
    rng, people = setting.rng, setting.people

    def hotel() -> dict[str, str]:
        name = rng.choice(people.pools.surnames + people.pools.streets)
        return {
            "host": f"{rng.choice(('Hotel', 'Pension', 'Hostel', 'Grand Hotel', 'Villa'))} {name}",
            "stars": "★" * rng.randint(1, 5),
            "office": office_address(setting),
            "phone": people.phone(),
            "booking": f"booking@{ascii_slug(name) or 'hotel'}-{ascii_slug(people.town().name)}.com",
            "price": money(setting, 60),
            "comments": f"{rng.choice(people.pools.given)}: {setting.title()}",
        }

    return catalogue(
        setting,
        hotel,
        ("stars", "comments", "booking"),
        title=lambda index: f"{people.town().name} {index + 1}",
        told=rng.choice((0, 25, 70)),
    )


def price_list(setting: Setting) -> PageMaker:
    """Goods and work with numbers and prices, one firm's telephone number below."""
    rng, people, label = setting.rng, setting.people, setting.label
    form = rng.choice(("######", "##-####", "#.###.##", "AB####"))

    def row() -> dict[str, str]:
        return {
            "part": digits(rng, form),
            "item": setting.some("goods"),
            "price": f"{rng.randint(0, 400)}.{rng.randint(0, 99):02}",
            "stock": str(rng.randint(0, 9000)),
        }

    close = f"{people.firm()[0]}, {label('phone')} {people.phone()}"
    return catalogue(
        setting,
        row,
        ("stock",),
        title=lambda index: f"{label('price')} {people.numeric_date(people.day(2015, 2023))}",
        close=close,
    )


def conference(setting: Setting) -> PageMaker:
    """The programme of a conference: hours, speakers with their universities, who chairs."""
    rng, people, label = setting.rng, setting.people, setting.label
    places = [f"Univ. {town.name}" for town in people.pools.towns]
    bracket, abstracts = rng.choice(("{} ({})", "{}, {}", "{} — {}")), rng.choice((0, 0, 60))

    def slot() -> str:
        hour, speaker = rng.randint(8, 17), bracket.format(people.name(), rng.choice(places))
        text = f"{hour}:{rng.choice(('00', '15', '30', '45'))}-{hour + 1}:00 {speaker}: {setting.title(most=12)}"
        if rng.random() < 0.2:
            text = f"{label('session')} {rng.randint(1, 20)} · {label('chair')}: {people.name()}\n{text}"
        return "\n".join((text, *setting.prose(rng.randint(0, abstracts))))

    def page(index: int, wanted: int) -> list[str]:
        foot = f"{label('contact')}: {people.work_email(people.name(), setting.domain)}"
        return [
            f"{label('speaker')} {people.written_date(people.day(2010, 2023))}",
            *setting.fill(wanted - 6, slot),
            foot,
        ]

    return page


def concerts(setting: Setting) -> PageMaker:
    """Programmes of orchestras and choirs: works, composers with the years of their lives, singers and players by voice."""
    rng, people, label = setting.rng, setting.people, setting.label
    desk, told = f"{label('box office')} {people.phone()}", rng.choice((10, 40, 90))

    def concert() -> str:
        works = []
        for _ in range(rng.randint(1, 4)):
            birth = rng.randint(1590, 1930)
            works.append(
                f"{people.name()} ({birth}-{birth + rng.randint(30, 85)}): {setting.title(most=5)}, op. {rng.randint(1, 140)}"
            )
        players = [f"{people.name()}, {setting.some('voices')}" for _ in range(rng.randint(1, 6))]
        when = f"{people.written_date(people.day(2012, 2024))}, {rng.randint(17, 20)}:00, {setting.title(most=3)}"
        return "\n".join(
            (
                when,
                *works,
                f"{label('with')}: {'; '.join(players)}",
                f"{label('conductor')}: {people.name()}",
                *setting.prose(rng.randint(0, told)),
            )
        )

    return lambda index, wanted: [label("date"), *setting.fill(wanted - 6, concert), desk]


def what_is_on(setting: Setting) -> PageMaker:
    """A town's calendar: day, hour, place, the organising club and its number."""
    rng, people, label = setting.rng, setting.people, setting.label
    places = [f"{setting.title(most=3)}, {people.street()}" for _ in range(rng.randint(5, 40))]
    clubs = [f"{people.town().name} {setting.title(most=3)}, {people.phone()}" for _ in range(rng.randint(3, 30))]

    def event() -> dict[str, str]:
        return {
            "date": f"{people.numeric_date(people.day(2017, 2024))}, {rng.randint(9, 21)}:00",
            "with": f"{people.name()}: {setting.title(most=6)}",
            "venue": zipf(rng, places),
            "organiser": zipf(rng, clubs),
            "admission": str(rng.choice((0, 5, 8, 12, 20))),
        }

    return catalogue(
        setting,
        event,
        ("admission", "organiser"),
        title=lambda index: f"{label('news')} {people.town().name}",
        told=rng.choice((0, 20, 50)),
    )
