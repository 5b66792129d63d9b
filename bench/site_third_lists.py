"""Third batch of templates of planted sites that are heavy in personal information of private persons, continued.

As `bench/site_third_heavy.py`: households, labels for letters, private e-mail addresses, birthdays, and notices and posts in
which people tell of themselves.
"""

from __future__ import annotations

from bench.site_filler import Setting
from bench.site_heavy import PageMaker
from bench.site_more_heavy import ALPHABET, money, namer, values_of
from bench.site_people import Person, digits
from bench.site_third_heavy import posted, register


def households(setting: Setting) -> PageMaker:
    """The electoral roll by household: an address, and below it everybody who may vote there, with date of birth."""
    rng, people, label = setting.rng, setting.people, setting.label
    bullet, colon, full = rng.choice(("  ", "- ", "* ", "\t")), rng.choice(("", ":")), rng.random() < 0.7

    def house() -> str:
        first = people.person(first=1930, last=1985)
        surname = first.name.split()[-1]
        others = [f"{rng.choice(people.pools.given)} {surname}" for _ in range(rng.randint(0, 3))]
        lines = []
        for name in (first.name, *others):
            birth = people.day(1930, 2005)
            lines.append(f"{bullet}{name}, {people.numeric_date(birth) if full else birth.year}")
        return "\n".join((f"{first.address}{colon}", *lines))

    return lambda index, wanted: [
        f"{label('voters')} · {label('household')} {index + 1}",
        *setting.fill(wanted - 4, house),
    ]


def mailing_labels(setting: Setting) -> PageMaker:
    """Labels for letters: name, street, town, in three lines, in one, or as a program's fields."""
    rng, people, label = setting.rng, setting.people, setting.label
    name, form, join = namer(setting), rng.randrange(3), rng.choice((", ", " · ", " / ", "; "))

    def one() -> str:
        person = people.person()
        parts = (name(person), person.street, person.place)
        if form == 0:
            return "\n".join((*parts, ""))
        return join.join(parts) if form == 1 else f"To: {parts[0]} | {parts[1]} | {parts[2]}"

    return lambda index, wanted: [
        f"{label('mailing')} {people.town().name} {index + 1}",
        *setting.fill(wanted - 4, one),
    ]


def private_mail(setting: Setting) -> PageMaker:
    """Private e-mail addresses: a letter's long line of receivers, addresses alone, or names with addresses."""
    rng, people = setting.rng, setting.people
    form, head, join = rng.randrange(4), rng.choice(("To", "Cc", "Bcc", "An")), rng.choice((", ", "; ", "\n"))

    def row() -> str:
        name = people.name()
        email = people.private_email(name)
        return (email, f'"{name}" <{email}>', f"{name}: {email}", f"mailto:{email}")[form]

    return lambda index, wanted: [
        f"{setting.some('rolls')} {index + 1}",
        f"{head}: {join.join(setting.fill(wanted - 5, row))}",
    ]


def birthdays(setting: Setting) -> PageMaker:
    """A calendar of private persons' birthdays: day, name, the age they reach; on some sites the town."""
    rng, people, label = setting.rng, setting.people, setting.label
    name, form, where = namer(setting), rng.randrange(3), rng.random() < 0.4

    def page(index: int, wanted: int) -> list[str]:
        month = index % 12

        def row() -> str:
            person = people.person(first=1926, last=2015)
            birth = person.birth.replace(day=min(person.birth.day, 28), month=month + 1)
            day = people.numeric_date(birth) if form == 0 else f"{birth.day:02}.{month + 1:02}."
            text = f"{day} {name(person)}"
            if form == 1:
                text += f" ({2024 - birth.year})"
            if form == 2:
                text += f", *{birth.year}"
            return f"{text}, {person.town}" if where else text

        return [f"{label('birthday')} {people.months[month]}", *sorted(setting.fill(wanted - 2, row))]

    return page


def lonely_hearts(setting: Setting) -> PageMaker:
    """Profiles of people who look for a partner: in sentences, or in fields with age, height, town and telephone number."""
    rng, people, label = setting.rng, setting.people, setting.label

    def height() -> str:
        return str(rng.randint(154, 196))

    if rng.random() < 0.5:
        post = posted(setting, "lonely", first=1955, last=2004, more=lambda: {"height": height()})
        return lambda index, wanted: [f"{label('profile')} {index + 1}", *setting.fill(wanted - 2, post)]
    values = values_of(setting) | {"height": lambda person: f"{height()} cm", "single": lambda person: label("single")}
    columns = ("name", "age", "town", "height", rng.choice(("email", "mobile")))
    return register(
        setting,
        values,
        columns,
        ("single", "born", "phone"),
        title=lambda index: f"{label('profile')} {people.town().name} {index + 1}",
        first=1955,
        last=2004,
        told=rng.choice((0, 10, 25)),
    )


def petition(setting: Setting) -> PageMaker:
    """Who signed: name, town, e-mail address, day, and why."""
    people, label = setting.people, setting.label
    values = values_of(setting) | {
        "date": lambda person: people.numeric_date(people.day(2010, 2023)),
        "comments": lambda person: setting.title(most=12),
    }
    return register(
        setting,
        values,
        ("name", "town", "email"),
        ("date", "comments", "street"),
        title=lambda index: f"{label('signatures')} {index * 100 + 1}-{index * 100 + 100}",
    )


def illness_posts(setting: Setting) -> PageMaker:
    """Posts of the sick under their names: diagnosis, town, e-mail address."""
    post = posted(setting, "sick", first=1940, last=2004, more=lambda: {"diagnosis": setting.some("diagnoses")})
    return lambda index, wanted: [
        f"{setting.label('illness')}: {setting.some('diagnoses')}",
        *setting.fill(wanted - 5, post),
    ]


def probate_notices(setting: Setting) -> PageMaker:
    """Notices on the estates of private persons: last address, day of death or of the will, executors with addresses."""
    people = setting.people
    post = posted(
        setting, "estate", first=1925, last=1960, more=lambda: {"day": people.written_date(people.day(2004, 2023))}
    )
    return lambda index, wanted: [f"{setting.label('probate')} {people.town().name}", *setting.fill(wanted - 3, post)]


def missing_heirs(setting: Setting) -> PageMaker:
    """Persons to whom estates or accounts belong: name, date of birth, last address, sum."""
    rng, people, label = setting.rng, setting.people, setting.label
    values = values_of(setting) | {
        "last address": lambda person: person.address,
        "sum": lambda person: money(setting, 8000),
        "case": lambda person: f"{rng.choice(ALPHABET)}-{rng.randint(1000, 99_999)}",
        "father": lambda person: people.name(),
    }
    return register(
        setting,
        values,
        ("name", "born", "last address"),
        ("sum", "case", "father"),
        title=lambda index: f"{label('heirs')} {index + 1}",
        first=1930,
        last=1995,
    )


def visa_list(setting: Setting) -> PageMaker:
    """Travellers by passport: number, name, date of birth, nationality, the day of the visa."""
    rng, people, label = setting.rng, setting.people, setting.label
    form = rng.choice(("@########", "@@#######", "#########", "@@@######"))

    def passport(person: Person) -> str:
        return "".join(rng.choice(ALPHABET) if sign == "@" else digits(rng, sign) for sign in form)

    values = values_of(setting) | {
        "passport": passport,
        "nationality": lambda person: rng.choice(
            ("DEU", "FRA", "ITA", "POL", "NLD", "ESP", "GBR", "USA", "UKR", "IND", "TUR")
        ),
        "date": lambda person: people.numeric_date(people.day(2012, 2023)),
    }
    return register(
        setting,
        values,
        ("passport", "name", "born"),
        ("nationality", "date", "mobile", "town"),
        title=lambda index: f"{label('visa')} {people.numeric_date(people.day(2012, 2023))}",
    )
