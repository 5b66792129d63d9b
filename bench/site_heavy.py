"""Templates of planted sites that are heavy in personal information of private persons.

Each function takes a `Setting` (one site) and gives what makes its pages: from a page's number and its wanted words to
blocks of text, the first of them the page's title. What varies from site to site (layout, which particulars, list or one
person a page) is drawn once, before the first page.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from bench.site_filler import Setting, layout
from bench.site_people import Person, ascii_slug

PageMaker = Callable[[int, int], list[str]]


def ip_address(setting: Setting) -> str:
    rng = setting.rng
    first = rng.choice((24, 62, 77, 80, 81, 84, 91, 93, 109, 151, 178, 188, 212, 217))
    return f"{first}.{rng.randint(0, 255)}.{rng.randint(0, 255)}.{rng.randint(1, 254)}"


def _born(setting: Setting, person: Person) -> str:
    return setting.people.numeric_date(person.birth)


def people_finder(setting: Setting) -> PageMaker:
    """Name, age, addresses past and present, telephone numbers, relatives, e-mail."""
    rng, people, label = setting.rng, setting.people, setting.label
    lay, prose, boiler = layout(rng), rng.random() < 0.3, setting.prose(rng.randint(0, 40))
    optional = rng.sample(["past", "email", "relatives", "mobile", "born"], rng.randint(2, 5))

    def record() -> str:
        if prose:
            return setting.sentence("person")
        person = people.person()
        pairs = [(label("name"), person.name), (label("age"), str(person.age)), (label("address"), person.address)]
        pairs.append((label("phone"), people.phone()))
        values: dict[str, Callable[[], str]] = {
            "past": lambda: people.person().address,
            "email": lambda: people.private_email(person.name),
            "relatives": lambda: ", ".join(people.name() for _ in range(rng.randint(1, 5))),
            "mobile": people.phone,
            "born": lambda: _born(setting, person),
        }
        return lay(pairs + [(label(key), values[key]()) for key in optional if rng.random() < 0.85])

    return lambda index, wanted: [f"{label('search')}: {people.name()}", *setting.fill(wanted - 10, record), *boiler]


def reverse_phone(setting: Setting) -> PageMaker:
    """Who a number belongs to: number, owner and town."""
    rng, people, label = setting.rng, setting.people, setting.label
    lay, street, said = layout(rng), rng.random() < 0.5, rng.random() < 0.3

    def record() -> str:
        person = people.person()
        where = person.address if street and rng.random() < 0.7 else person.town
        text = lay([(label("phone"), people.phone()), (label("owner"), person.name), (label("town"), where)])
        return f"{text}\n{label('comments')}: {setting.title()}" if said else text

    return lambda index, wanted: [f"{label('phone')} {people.phone()}", *setting.fill(wanted - 8, record)]


def leak_dump(setting: Setting) -> PageMaker:
    """Rows of a stolen table: addresses with passwords, network addresses, names, cards, numbers."""
    rng, people = setting.rng, setting.people
    form, separator = rng.randrange(6), rng.choice((":", ";", "|", ",", " : ", "\t"))

    def password() -> str:
        word = ascii_slug(rng.choice(people.pools.given if rng.random() < 0.5 else people.pools.streets))
        return rng.choice(
            (f"{word}{rng.randint(1, 2005)}", f"{word.title()}!{rng.randint(1, 99)}", f"{rng.getrandbits(40):x}")
        )

    def row() -> str:
        name, birth = people.name(), people.day(1940, 2004)
        email = people.private_email(name)
        if form == 0:
            return f"{email}{separator}{password()}"
        if form == 1:
            return separator.join((email, password(), ip_address(setting)))
        if form == 2:
            return separator.join((str(rng.randint(1000, 9_999_999)), name, email, people.phone(), ip_address(setting)))
        if form == 3:
            hashed = hashlib.md5(password().encode()).hexdigest()
            return separator.join((email, hashed, people.numeric_date(birth), people.town().name))
        if form == 4:
            return separator.join((name, people.card(), f"{rng.randint(1, 12):02}/{rng.randint(20, 29)}", email))
        return separator.join((name, people.iban(), people.national_number(birth), email))

    return lambda index, wanted: [f"dump part {index + 1}", *setting.fill(wanted - 3, row)]


def cv_bank(setting: Setting) -> PageMaker:
    """Curricula vitae with name, date of birth, address, telephone, e-mail and career."""
    rng, people, label = setting.rng, setting.people, setting.label
    lay, in_words = layout(rng), rng.random() < 0.4

    def record() -> str:
        person = people.person(first=1958, last=2003)
        born = people.written_date(person.birth) if in_words else _born(setting, person)
        pairs = [("name", person.name), ("born", born), ("address", person.address), ("phone", people.phone())]
        pairs.append(("email", people.private_email(person.name)))
        if rng.random() < 0.5:
            pairs.append(("nationality", rng.choice(("D", "F", "I", "PL", "NL", "E", "UK", "US"))))
        years = sorted(rng.sample(range(1985, 2024), rng.randint(3, 6)))
        career = [
            f"{first}-{last} {setting.some('jobs')}, {people.firm()[0]}"
            for first, last in zip(years, years[1:], strict=False)
        ]
        head = lay([(label(key), value) for key, value in pairs if key != "address" or rng.random() < 0.8])
        told = " ".join(setting.prose(rng.randint(10, 60)))
        return "\n".join(
            (head, label("career"), *career, f"{label('school')} {years[0] - 4}-{years[0]} {person.town}", told)
        )

    return lambda index, wanted: [f"CV {setting.some('jobs')} {people.town().name}", *setting.fill(wanted, record)]


def genealogy(setting: Setting) -> PageMaker:
    """Families of the 20th century: dates of births, marriages and deaths, living children; no other particulars."""
    rng, people, label = setting.rng, setting.people, setting.label
    form, in_words = rng.randrange(3), rng.random() < 0.4
    signs = rng.random() < 0.5

    def when(first: int, last: int) -> str:
        day = people.day(first, last)
        return people.written_date(day) if in_words else people.numeric_date(day)

    def family() -> str:
        start = rng.randint(1905, 1975)
        surname = people.name().split(" ")[-1]
        first, second = rng.choice(people.pools.given), people.name()
        born, married, died = ("*", "oo", "†") if signs else (label("born"), label("married"), label("died"))
        town = people.town().name
        head = f"{first} {surname} {born} {when(start, start + 3)} {town}"
        if start < 1940:
            head += f" {died} {when(start + 50, start + 80)}"
        wed = f"{married} {when(start + 22, start + 30)} {second} {born} {when(start - 2, start + 6)}"
        children = [
            f"{rng.choice(people.pools.given)} {surname} {born} {when(start + 24, start + 40)}"
            for _ in range(rng.randint(1, 6))
        ]
        if form == 0:
            return "\n".join((head, wed, f"{label('children')}:", *children))
        if form == 1:
            return f"{head}, {wed}. {label('children')}: {'; '.join(children)}."
        numbered = [f"{number}. {child}" for number, child in enumerate(children, 1)]
        return "\n".join(
            (f"{head} ({label('father')}: {people.name()}, {label('mother')}: {people.name()})", wed, *numbered)
        )

    return lambda index, wanted: [people.name().split(" ")[-1], *setting.fill(wanted - 3, family)]


def arrest_records(setting: Setting) -> PageMaker:
    """Name, date of birth, charge, address or town."""
    rng, people, label = setting.rng, setting.people, setting.label
    lay, full, age = layout(rng), rng.random() < 0.5, rng.random() < 0.5

    def record() -> str:
        person = people.person(first=1950, last=2005)
        pairs = [(label("name"), people.listed_name()), (label("born"), _born(setting, person))]
        if age:
            pairs.append((label("age"), str(person.age)))
        pairs.append((label("address" if full else "town"), person.address if full else person.town))
        pairs.append((label("arrested"), people.numeric_date(people.day(2012, 2023))))
        pairs.append((label("charge"), ", ".join(setting.some("charges") for _ in range(rng.randint(1, 3)))))
        return lay(pairs)

    return lambda index, wanted: [people.name(), *setting.fill(wanted - 2, record)]


def property_owners(setting: Setting) -> PageMaker:
    """Owner, street address, parcel, value; a page for a street, or a page for a lot."""
    rng, people, label = setting.rng, setting.people, setting.label
    lay, currency = layout(rng), {"en_US": "$", "en_GB": "£", "pl_PL": "zł"}.get(setting.locale, "€")
    mailing = rng.random() < 0.3

    def record() -> str:
        person = people.person()
        parcel = f"{rng.randint(1, 99):02}-{rng.randint(100, 999)}-{rng.randint(10, 999):03}"
        pairs = [(label("owner"), people.listed_name()), (label("address"), person.address), (label("parcel"), parcel)]
        pairs.append((label("value"), f"{currency} {rng.randint(40, 900)},{rng.randint(0, 999):03}"))
        if mailing:
            pairs.append((label("past"), people.person().address))
        return lay(pairs)

    return lambda index, wanted: [f"{label('parcel')} - {people.town().name}", *setting.fill(wanted - 4, record)]


def names_only(setting: Setting) -> PageMaker:
    """Lists of private persons by name: voters, graduates, a waiting list."""
    rng, people = setting.rng, setting.people
    form, join = rng.randrange(4), rng.choice(("\n", ", ", "; ", " | "))

    def row() -> str:
        name = people.listed_name()
        if form == 1:
            return f"{rng.randint(1, 9999)}. {name}"
        if form == 2:
            return f"{name} ({people.town().name})"
        return name

    def page(index: int, wanted: int) -> list[str]:
        title = (
            f"{setting.label('year')} {rng.randint(1965, 2023)}"
            if form
            else f"{setting.label('name')} {chr(65 + index % 26)}"
        )
        return [title, join.join(setting.fill(wanted - 3, row))]

    return page


def club_members(setting: Setting) -> PageMaker:
    """Rows of a club's list of members: names, telephone numbers, e-mail addresses, addresses."""
    rng, people, label = setting.rng, setting.people, setting.label
    separator = rng.choice((" | ", "\t", ", ", ";", "  "))
    columns = ["name", *rng.sample(["address", "phone", "email", "mobile", "born"], rng.randint(2, 4))]

    def row() -> str:
        person = people.person()
        values: dict[str, Callable[[], str]] = {
            "name": people.listed_name,
            "address": lambda: person.address,
            "phone": people.phone,
            "mobile": people.phone,
            "email": lambda: people.private_email(person.name),
            "born": lambda: _born(setting, person),
        }
        return separator.join(values[column]() if column == "name" or rng.random() < 0.9 else "-" for column in columns)

    heading = separator.join(label(column) for column in columns)
    return lambda index, wanted: [f"{label('member')} {index + 1}", heading, *setting.fill(wanted - 8, row)]


def court_records(setting: Setting) -> PageMaker:
    """Cases of private persons: parties with date of birth or address."""
    rng, people, label = setting.rng, setting.people, setting.label
    lay, dates, told = layout(rng), rng.random() < 0.5, rng.randint(0, 50)

    def party() -> str:
        person = people.person()
        return (
            f"{person.name} ({label('born')} {_born(setting, person)})" if dates else f"{person.name}, {person.address}"
        )

    def record() -> str:
        number = f"{rng.randint(1, 40)} {rng.choice('CFKOS')} {rng.randint(1, 2999)}/{rng.randint(8, 23):02}"
        pairs = [(label("case"), number), (label("plaintiff"), party()), (label("defendant"), party())]
        pairs.append((label("date"), people.numeric_date(people.day(2008, 2023))))
        return lay(pairs) + ("\n" + " ".join(setting.prose(told)) if told else "")

    return lambda index, wanted: [f"{label('case')} {index + 1}", *setting.fill(wanted - 4, record)]


def personal_ads(setting: Setting) -> PageMaker:
    """Profiles of a dating site and small advertisements, with telephone numbers and addresses."""
    people, told = setting.people, setting.rng.randint(0, 40)

    def advert() -> str:
        return " ".join((setting.sentence("dating"), *setting.prose(told)))

    return lambda index, wanted: [f"{people.town().name} - {setting.some('jobs')}", *setting.fill(wanted - 4, advert)]


def guest_book(setting: Setting) -> PageMaker:
    """Guest book of a wedding or a funeral: guests sign with addresses and telephone numbers."""
    people, rng, told = setting.people, setting.rng, setting.rng.randint(0, 30)

    def entry() -> str:
        day = people.numeric_date(people.day(2004, 2022))
        return "\n".join(
            (
                f"{people.name()} {setting.label('said')} ({day})",
                *setting.prose(rng.randint(0, told)),
                setting.sentence("guest"),
            )
        )

    return lambda index, wanted: [f"{people.name()} & {people.name()}", *setting.fill(wanted - 6, entry)]


def doxxing_forum(setting: Setting) -> PageMaker:
    """Posts by nicknames that expose private persons."""
    people, rng, told = setting.people, setting.rng, setting.rng.randint(0, 25)

    def post() -> str:
        nick = f"{ascii_slug(rng.choice(people.pools.streets))[:8]}{rng.randint(1, 99)}"
        text = " ".join((*setting.prose(rng.randint(0, told)), setting.sentence("dox")))
        number = (
            f" {setting.label('number')}: {people.national_number(people.day(1950, 2002))}"
            if rng.random() < 0.15
            else ""
        )
        return f"{nick} {setting.label('said')}:\n{text}{number}"

    return lambda index, wanted: [people.name(), *setting.fill(wanted - 3, post)]


def debtors_list(setting: Setting) -> PageMaker:
    """Debtors, or taxpayers, with the numbers that a state gives to persons, and sums."""
    rng, people, label = setting.rng, setting.people, setting.label
    lay, account = layout(rng), rng.random() < 0.4

    def record() -> str:
        person = people.person()
        pairs = [(label("name"), people.listed_name()), (label("number"), people.national_number(person.birth))]
        pairs += [(label("town"), person.town), (label("value"), f"{rng.randint(50, 20_000)}.{rng.randint(0, 99):02}")]
        return lay([*pairs, ("IBAN", people.iban())] if account else pairs)

    return lambda index, wanted: [f"{label('value')} {index + 1}", *setting.fill(wanted - 2, record)]


def old_classmates(setting: Setting) -> PageMaker:
    """Pages of a class: who lives where now, with children, and how to reach them."""
    rng, people, label = setting.rng, setting.people, setting.label

    def entry() -> str:
        person = people.person(first=1945, last=1985)
        reach = people.private_email(person.name) if rng.random() < 0.6 else people.phone()
        children = ", ".join(rng.choice(people.pools.given) for _ in range(rng.randint(0, 3)))
        text = (
            f"{person.name}, {setting.some('jobs')}, {person.address if rng.random() < 0.6 else person.town}, {reach}"
        )
        return f"{text}\n{label('children')}: {children}" if children else text

    return lambda index, wanted: [f"{label('year')} {1962 + index % 45}", *setting.fill(wanted - 2, entry)]


def neighbours_blog(setting: Setting) -> PageMaker:
    """One blog of a hoster that lists the inhabitants of places: addresses and telephone numbers."""
    rng, people, lay = setting.rng, setting.people, layout(setting.rng)

    def record() -> str:
        person = people.person()
        pairs = [
            (setting.label("name"), people.listed_name()),
            (setting.label("address"), person.street),
            (setting.label("phone"), people.phone()),
        ]
        return lay(
            [*pairs, (setting.label("email"), people.private_email(person.name))] if rng.random() < 0.3 else pairs
        )

    return lambda index, wanted: [
        f"{people.town().name}, {people.written_date(people.day(2009, 2021))}",
        *setting.fill(wanted - 4, record),
    ]
