"""Second batch of templates of planted sites that are heavy in personal information of private persons.

As `bench/site_heavy.py`: from a `Setting` to what makes the site's pages. Most are directories, whose columns are drawn once
per site; on some sites short pages show one person each, with a list of others to go on to.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bench.site_filler import Setting, sheet
from bench.site_heavy import PageMaker
from bench.site_people import Person, ascii_slug, digits

Value = Callable[[Person], str]
Sheet = Callable[[Setting, list[str]], tuple[list[str], Callable[[list[str]], str]]]
# Licence plates by locale: @ is a letter, # a digit.
PLATES = {
    "en_US": ("@@@ ####", "#@@@###", "@@@-####"),
    "en_GB": ("@@## @@@", "@### @@@"),
    "de_DE": ("@-@@ ####", "@@@-@ ###", "@@ @@ ###"),
    "fr_FR": ("@@-###-@@", "### @@@ 75"),
    "es_ES": ("#### @@@", "@-####-@@"),
    "it_IT": ("@@ ### @@", "@@###@@"),
    "nl_NL": ("##-@@@-#", "@@-###-@", "##-@@-@@"),
    "pl_PL": ("@@ #####", "@@@ ####", "@@ ###@@"),
}
VEHICLES = "VW Golf,Opel Corsa,Ford Focus,Renault Clio,Fiat Panda,Toyota Corolla,Peugeot 206,BMW 320d,Skoda Fabia"
BREEDS = "Labrador,Beagle,Border Collie,Yorkshire Terrier,Golden Retriever,Cocker Spaniel,Rottweiler,Chihuahua,Mix"
ALPHABET = "ABCDEFGHJKLMNPRSTVWXYZ"


def namer(setting: Setting, *, initials: bool = False) -> Value:
    """How the site writes names: given name first, or surname first in one of several ways."""
    form = setting.rng.randrange(6 if initials else 5)

    def write(person: Person) -> str:
        words = person.name.split()
        at = len(words) - (2 if setting.language == "es" and len(words) > 2 else 1)
        while at > 1 and words[at - 1].islower():
            at -= 1
        given, surname = " ".join(words[:at]), " ".join(words[at:])
        return (
            person.name,
            person.name,
            f"{surname}, {given}",
            f"{surname.upper()} {given}",
            f"{surname} {given}",
            f"{surname} {given[0]}.",
        )[form]

    return write


def values_of(setting: Setting) -> dict[str, Value]:
    """What a directory's columns show of a person, by the key of the column's label."""
    rng, people = setting.rng, setting.people
    name, in_words = namer(setting), rng.random() < 0.2
    return {
        "name": name,
        "born": lambda person: (people.written_date if in_words else people.numeric_date)(person.birth),
        "birth year": lambda person: str(person.birth.year),
        "age": lambda person: str(person.age),
        "address": lambda person: person.address,
        "street": lambda person: person.street,
        "town": lambda person: person.town,
        "phone": lambda person: people.phone(),
        "mobile": lambda person: people.phone(),
        "email": lambda person: people.private_email(person.name),
        "past": lambda person: people.person().address,
        "relatives": lambda person: ", ".join(people.name() for _ in range(rng.randint(1, 4))),
    }


def directory(
    setting: Setting,
    values: dict[str, Value],
    always: Sequence[str],
    sometimes: Sequence[str] = (),
    *,
    title: Callable[[int], str],
    first: int = 1932,
    last: int = 2005,
    told: int = 0,
    drawn: Sheet = sheet,
) -> PageMaker:
    """Pages of records with the columns `always` and some of `sometimes`, each with up to `told` words of running text.

    `drawn` draws how they are written.
    Longer pages than 160 words are lists also where a site has pages of one person.
    """
    rng, people = setting.rng, setting.people
    columns = [*always, *rng.sample(sometimes, rng.randint(0, len(sometimes)))]
    if rng.random() < 0.3:
        rng.shuffle(columns)
    heading, write = drawn(setting, columns)
    gaps, single, ordered = rng.choice((0.0, 0.0, 0.1, 0.25)), rng.random() < 0.3, rng.random() < 0.3

    def record(person: Person) -> str:
        shown = [values[key](person) if key in always or rng.random() >= gaps else "" for key in columns]
        return "\n".join((write(shown), *(setting.prose(rng.randint(0, told)) if told else ())))

    def one(wanted: int) -> list[str]:
        person = people.person(first=first, last=last)
        text = record(person)
        rest = wanted - len(text.split()) - 4
        if rest < 12:
            return [person.name, text]
        others = setting.fill(rest, lambda: f"{people.name()} ({people.town().name})")
        return [person.name, text, f"{setting.label('more')}: {', '.join(others)}"]

    def page(index: int, wanted: int) -> list[str]:
        if single and wanted < 160:
            return one(wanted)
        blocks = setting.fill(wanted - 6, lambda: record(people.person(first=first, last=last)))
        return [title(index), *heading, *(sorted(blocks) if ordered else blocks)]

    return page


def money(setting: Setting, most: int) -> str:
    amount = f"{setting.rng.randint(1, most) * 5}{setting.rng.choice(('', '', '.00', '.50'))}"
    return {"en_US": f"${amount}", "en_GB": f"£{amount}", "pl_PL": f"{amount} zł"}.get(setting.locale, f"{amount} €")


def white_pages(setting: Setting) -> PageMaker:
    """The telephone directory of a town: name, street, number, one line each."""
    people, label, town = setting.people, setting.label, setting.people.town().name
    values = values_of(setting) | {"name": namer(setting, initials=True), "town": lambda person: town}

    def title(index: int) -> str:
        return f"{label('phone book')} {town} - {ALPHABET[index % len(ALPHABET)]} {people.pools.surnames[index % 90]}"

    return directory(setting, values, ("name", "street", "phone"), ("mobile", "town"), title=title)


def voter_roll(setting: Setting) -> PageMaker:
    """Names, street addresses and years of birth of voters; on some sites a page is a street, with houses below it."""
    rng, people, label = setting.rng, setting.people, setting.label
    values = values_of(setting) | {
        "precinct": lambda person: str(rng.randint(1, 320)),
        "party": lambda person: setting.some("parties"),
    }
    name, separator = values["name"], rng.choice((", ", "\t", " | ", "  "))

    def house() -> str:
        person = people.person(first=1928, last=2006)
        return separator.join((str(rng.randint(1, 180)), name(person), str(person.birth.year)))

    def street(index: int, wanted: int) -> list[str]:
        where = f"{rng.choice(people.pools.streets)}, {people.town().name}"
        return [f"{label('voters')}: {where}", *setting.fill(wanted - 4, house)]

    if rng.random() < 0.25:
        return street
    sometimes = ["precinct", *(["party"] if setting.locale == "en_US" else [])]

    def title(index: int) -> str:
        return f"{label('voters')} - {label('precinct')} {index + 1}"

    return directory(setting, values, ("name", "address", "birth year"), sometimes, title=title, first=1928, last=2006)


def email_list(setting: Setting) -> PageMaker:
    """Private e-mail addresses for sale: bare, with names, or with town and age."""
    rng, people, label = setting.rng, setting.people, setting.label
    form, separator = rng.randrange(4), rng.choice((";", ",", "\t", " - "))
    join = rng.choice(("\n", "\n", ", ", "; ", " "))
    offer = setting.prose(rng.choice((0, 0, 25)))

    def row() -> str:
        person = people.person(first=1945, last=2006)
        email = people.private_email(person.name)
        if form < 2:
            return email
        if form == 2:
            return f"{person.name} <{email}>"
        return separator.join((email, person.name, person.town, str(person.birth.year)))

    def page(index: int, wanted: int) -> list[str]:
        rows = setting.fill(wanted - 6, row)
        head = f"{label('mail list')} {people.town().name} {index + 1}: {len(rows)}"
        return [head, *offer, (join if form < 2 else "\n").join(rows)]

    return page


def alumni_directory(setting: Setting) -> PageMaker:
    """Former pupils: name, class, private e-mail address, town, telephone number."""
    values = values_of(setting) | {"year": lambda person: str(person.birth.year + 18)}
    return directory(
        setting,
        values,
        ("name", "year", "email"),
        ("town", "phone", "address"),
        title=lambda index: f"{setting.label('alumni')} {1955 + index % 65}",
        first=1936,
        last=2002,
    )


def offender_registry(setting: Setting) -> PageMaker:
    """Convicted persons: name, date of birth, address, offence."""
    rng, people, label = setting.rng, setting.people, setting.label
    values = values_of(setting) | {
        "charge": lambda person: "; ".join(setting.some("charges") for _ in range(rng.randint(1, 2))),
        "convicted": lambda person: people.numeric_date(people.day(1995, 2023)),
        "level": lambda person: rng.choice(("1", "2", "3", "II", "III")),
    }
    return directory(
        setting,
        values,
        ("name", "born", "address", "charge"),
        ("convicted", "level", "age"),
        title=lambda index: f"{label('offender')} {people.town().name} {index + 1}",
        last=2004,
        told=rng.choice((0, 0, 20)),
    )


def patients_list(setting: Setting) -> PageMaker:
    """Patients of an association, or waiting for an organ: name, date of birth, town, diagnosis."""
    rng, label = setting.rng, setting.label
    values = values_of(setting) | {
        "diagnosis": lambda person: setting.some("diagnoses"),
        "blood": lambda person: rng.choice(("A+", "A-", "B+", "AB+", "0+", "0-", "B-")),
    }
    return directory(
        setting,
        values,
        ("name", "born", "town", "diagnosis"),
        ("blood", "phone", "email"),
        title=lambda index: f"{label('patient')}: {setting.some('diagnoses')} ({index + 1})",
        last=2018,
        told=rng.choice((0, 0, 25)),
    )


def wedding_registry(setting: Setting) -> PageMaker:
    """Couples with the date of the wedding, their address and e-mail address, some with what they wish for."""
    rng, people, label = setting.rng, setting.people, setting.label
    joined = rng.choice((" & ", " + ", " / "))
    values = values_of(setting) | {
        "couple": lambda person: f"{person.name}{joined}{people.name()}",
        "date": lambda person: people.written_date(people.day(2014, 2025)),
    }
    return directory(
        setting,
        values,
        ("couple", "date", "address", "email"),
        ("phone",),
        title=lambda index: f"{label('wedding')} {people.months[index % 12]} {2014 + index % 11}",
        first=1975,
        last=2002,
        told=rng.choice((0, 15, 30)),
    )


def lost_relatives(setting: Setting) -> PageMaker:
    """Relatives that are looked for: names, dates of birth, last known addresses, and who searches for them."""
    rng, people, label = setting.rng, setting.people, setting.label

    def searcher(person: Person) -> str:
        name = people.name()
        return f"{name}, {people.phone() if rng.random() < 0.5 else people.private_email(name)}"

    def note() -> str:
        day = people.numeric_date(people.day(2003, 2022))
        return "\n".join((f"{label('posted')} {day}", setting.sentence("lost"), *setting.prose(rng.choice((0, 0, 12)))))

    if rng.random() < 0.5:
        return lambda index, wanted: [f"{people.pools.surnames[index % 90]}?", *setting.fill(wanted - 1, note)]
    values = values_of(setting) | {"last address": lambda person: person.address, "searcher": searcher}
    return directory(
        setting,
        values,
        ("name", "born", "last address", "searcher"),
        ("relatives",),
        title=lambda index: f"{label('last address')} {people.town().name}",
        first=1925,
        last=1995,
    )


def keepers(setting: Setting) -> PageMaker:
    """Keepers of cars by licence plate, or of dogs by chip: name, address, telephone number."""
    rng, label = setting.rng, setting.label
    form = rng.choice(PLATES[setting.locale])

    def plate(person: Person) -> str:
        return "".join(rng.choice(ALPHABET) if sign == "@" else digits(rng, sign) for sign in form)

    values = values_of(setting) | {
        "plate": plate,
        "vehicle": lambda person: f"{rng.choice(VEHICLES.split(','))} {rng.randint(1996, 2022)}",
        "chip": lambda person: digits(rng, "9#############"),
        "dog": lambda person: f"{rng.choice(BREEDS.split(','))}, {rng.choice(('Bella', 'Max', 'Luna', 'Rex', 'Nala'))}",
    }
    values["owner"] = values["name"]
    thing, kind = rng.choice((("plate", "vehicle"), ("plate", "vehicle"), ("chip", "dog")))
    return directory(
        setting,
        values,
        (thing, "owner", "address", "phone"),
        (kind, "email", "born"),
        title=lambda index: f"{label(thing)} {values[thing](setting.people.person())}",
        last=2003,
    )


def bad_tenants(setting: Setting) -> PageMaker:
    """A blacklist that landlords keep: name, address, former addresses, sums owed."""
    rng, people, label = setting.rng, setting.people, setting.label
    values = values_of(setting) | {"owed": lambda person: money(setting, 2500)}
    values["tenant"] = values["name"]
    return directory(
        setting,
        values,
        ("tenant", "address", "past", "owed"),
        ("born", "phone"),
        title=lambda index: f"{label('tenant')}: {people.town().name} {index + 1}",
        first=1950,
        last=2003,
        told=rng.choice((0, 15, 30)),
    )


def exam_results(setting: Setting) -> PageMaker:
    """Results of examinations: student number, name, date of birth, mark."""
    rng, people, label = setting.rng, setting.people, setting.label
    length, form, listed = rng.randint(6, 8), rng.randrange(3), rng.random() < 0.3

    def mark() -> str:
        return (f"{rng.randint(1, 4)}.{rng.choice('037')}", str(rng.randint(18, 100)), rng.choice("ABCDEF"))[form]

    def grade(person: Person) -> str:
        return ", ".join(f"{setting.some('subjects')} {mark()}" for _ in range(3)) if listed else mark()

    values = values_of(setting) | {
        "student": lambda person: str(rng.randint(10 ** (length - 1), 10**length - 1)),
        "grade": grade,
    }
    return directory(
        setting,
        values,
        ("student", "name", "born", "grade"),
        ("town",),
        title=lambda index: (
            f"{label('exam')}: {setting.some('subjects')}, {people.numeric_date(people.day(2009, 2023))}"
        ),
        first=1988,
        last=2006,
    )


def donors(setting: Setting) -> PageMaker:
    """Who gave to a charity or a campaign: name, street, sum."""
    rng, people, label = setting.rng, setting.people, setting.label
    values = values_of(setting) | {
        "sum": lambda person: money(setting, 100),
        "date": lambda person: people.numeric_date(people.day(2010, 2023)),
    }
    values["donor"] = values["name"]
    return directory(
        setting,
        values,
        ("donor", rng.choice(("street", "address")), "sum"),
        ("date", "email"),
        title=lambda index: f"{label('donor')} {2008 + index % 16}",
    )


def scam_victims(setting: Setting) -> PageMaker:
    """Posts of people cheated with missing parcels, who leave name, address and telephone number."""
    rng, people, label = setting.rng, setting.people, setting.label
    told, nicknames = rng.randint(0, 20), rng.random() < 0.5

    def post() -> str:
        first = rng.choice(people.pools.given)
        nick = f"{ascii_slug(first)}{rng.randint(1, 99)}" if nicknames else first
        day = people.numeric_date(people.day(2016, 2023))
        text = " ".join((*setting.prose(rng.randint(0, told)), setting.sentence("victim")))
        return f"{nick} {label('said')} ({day}):\n{text}"

    return lambda index, wanted: [f"{label('comments')} {index + 1}", *setting.fill(wanted - 2, post)]


def family_history_forum(setting: Setting) -> PageMaker:
    """Queries about relatives, most of them alive: dates, addresses, e-mail addresses."""
    rng, people, label, told = setting.rng, setting.people, setting.label, setting.rng.randint(0, 25)
    signed = rng.random() < 0.5

    def query() -> str:
        name, day = people.name(), people.numeric_date(people.day(2000, 2020))
        queries = " ".join(setting.sentence("query") for _ in range(rng.randint(1, 2)))
        text = " ".join((queries, *setting.prose(rng.randint(0, told))))
        return f"{name} {label('said')}, {day}\n{text}" + (f"\n{name}, {people.private_email(name)}" if signed else "")

    def page(index: int, wanted: int) -> list[str]:
        surname = rng.choice(people.pools.surnames)
        return [f"{surname} - {people.town().name}, {rng.randint(1890, 1970)}", *setting.fill(wanted - 3, query)]

    return page
