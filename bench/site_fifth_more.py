"""Fifth batch, second part of the sites that are heavy in personal information.

As `bench/site_fifth_heavy.py`.
"""

from __future__ import annotations

from datetime import date
from functools import partial

from bench.site_fifth_heavy import CALLSIGNS, cards, money, namer, records, rows, tell, value_of
from bench.site_filler import Setting
from bench.site_heavy import PageMaker


def member_roster(setting: Setting) -> PageMaker:
    """A club's members: table with addresses and numbers, or birthdays of the month."""
    rng, people, label = setting.rng, setting.people, setting.label
    birthdays, write, month = rng.random() < 0.3, namer(setting), [1]
    keys = [
        "name",
        *rng.sample(["street", "town", "phone", "mobile", "email", "birth", "fifth joined"], rng.randint(3, 5)),
    ]
    heading, put = records(setting, keys)

    def row() -> str:
        person = people.person()
        if birthdays:
            where = rng.choice((person.town, person.street))
            day = person.birth.replace(month=month[0], day=min(person.birth.day, 28))
            return f"{people.numeric_date(day)} {write(person.name)} ({person.age}), {where}"
        return put(
            [
                str(rng.randint(1965, 2023))
                if key == "fifth joined"
                else value_of(setting, key, person, write)
                if key == "name" or rng.random() < 0.92
                else ""
                for key in keys
            ]
        )

    def page(index: int, wanted: int) -> list[str]:
        month[0] = index % 12 + 1
        top = (
            [f"{label('birthdays')} {people.months[index % 12]}"]
            if birthdays
            else [f"{label('member')} {index + 1}", *heading]
        )
        return [*top, *setting.fill(wanted - 6, row)]

    return page


def court_docket(setting: Setting) -> PageMaker:
    """Cases between private persons: divorces, evictions, estates, insolvencies, with births or addresses."""
    rng, people, label = setting.rng, setting.people, setting.label
    shown, day = rng.randrange(3), [date(2010, 1, 1)]
    heading, put = records(setting, ["case", "fifth hearing", "plaintiff", "defendant", "notes"])

    def party() -> str:
        person = people.person()
        if shown == 2:
            return f"{person.name}, {person.town}"
        return f"{person.name}, {person.address if shown else label('birth') + ' ' + people.numeric_date(person.birth)}"

    def record() -> str:
        number = f"{rng.choice(('', '3 ', '12 '))}{rng.choice(('CV', 'FA', 'R', 'F', 'IK'))}-{rng.randint(1, 9999):04}/{rng.randint(9, 23):02}"
        hour = f"{people.numeric_date(day[0])} {rng.randint(8, 16)}:{rng.choice(('00', '15', '30', '45'))}"
        return put([number, hour, party(), party() if rng.random() < 0.8 else "", setting.some("suits")])

    def page(index: int, wanted: int) -> list[str]:
        day[0] = people.day(2010, 2023)
        return [f"{label('hearing')} {people.written_date(day[0])}", *heading, *setting.fill(wanted - 9, record)]

    return page


def petition_signers(setting: Setting) -> PageMaker:
    """Who signed petitions: name, place, date and, on some sites, the reason."""
    rng, people, label = setting.rng, setting.people, setting.label
    keys = ["name", *rng.sample(["address", "town", "email", "date", "age"], rng.randint(2, 4))]
    write, reasons, (heading, put) = namer(setting), rng.random() < 0.5, records(setting, keys)

    def row() -> str:
        person = people.person()
        known = {"date": people.numeric_date(people.day(2009, 2023)), "name": write(person.name)}
        text = put([known.get(key) or value_of(setting, key, person) for key in keys])
        said = f"\n{label('reason')}: {setting.some('reasons')}" if reasons and rng.random() < 0.4 else ""
        return text + said

    return lambda index, wanted: [
        f"{label('signatures')} {index * 50 + 1} - {index * 50 + 50}",
        *([setting.title(most=10)] if index % 7 == 0 else []),
        *heading,
        *setting.fill(wanted - 8, row),
    ]


def childminders(setting: Setting) -> PageMaker:
    """Private persons who look after children and old people: offers in their own words, or cards."""
    rng, people, label = setting.rng, setting.people, setting.label
    shape, told, lay = rng.randrange(3), rng.randint(0, 30), cards(setting)
    keys = rng.sample(["age", "address", "town", "phone", "mobile", "email", "birth"], rng.randint(3, 5))

    def offer() -> str:
        person = people.person(first=1950, last=2006)
        pairs = [(label("name"), person.name), *((label(key), value_of(setting, key, person)) for key in keys)]
        pairs.append((label("rate"), money(setting, 8, 30)))
        if shape == 0:
            return lay(pairs)
        said = tell(setting, setting.some("nanny"), person)
        return " ".join((said, *setting.prose(told))) if shape == 1 else f"{lay(pairs)}\n{said}"

    return lambda index, wanted: [f"{people.town().name}, {index + 1}", *setting.fill(wanted - 3, offer)]


def radio_callbook(setting: Setting) -> PageMaker:
    """Radio amateurs by call sign, with the addresses of their homes."""
    rng, people, label = setting.rng, setting.people, setting.label
    starts = CALLSIGNS[setting.locale].split()
    keys = ["callsign", "name", *rng.sample(["address", "fifth licence", "email", "birth", "town"], rng.randint(2, 4))]
    if not {"address", "email"} & set(keys):
        keys.append("address")
    write, (heading, put) = namer(setting), records(setting, keys)

    def call() -> str:
        return f"{rng.choice(starts)}{rng.randint(0, 9)}{''.join(rng.choice('ABCDEFGHKLMNPRSTUVWXYZ') for _ in range(rng.randint(2, 3)))}"

    def row() -> str:
        person = people.person(last=1998)
        known = {"callsign": call(), "fifth licence": rng.choice(("A", "B", "E", "1", "2")), "name": write(person.name)}
        return put([known.get(key) or value_of(setting, key, person) for key in keys])

    return lambda index, wanted: [f"{label('callsign')} {call()}", *heading, *setting.fill(wanted - 6, row)]


def unclaimed_money(setting: Setting) -> PageMaker:
    """Money that waits for its owners: names, last addresses, sums, who holds it."""
    rng, people, label = setting.rng, setting.people, setting.label
    keys = ["name", "last address", *rng.sample(["unclaimed", "reported by", "year", "birth"], rng.randint(1, 3))]
    write, (heading, put) = namer(setting), records(setting, keys)

    def row() -> str:
        person = people.person(last=1990)
        known = {
            "name": write(person.name),
            "last address": person.address if rng.random() < 0.85 else person.town,
            "unclaimed": money(setting, 10, 9000),
            "reported by": people.firm()[0],
            "year": str(rng.randint(1985, 2020)),
        }
        return put([known.get(key) or value_of(setting, key, person) for key in keys])

    return lambda index, wanted: [
        f"{label('unclaimed')} {chr(65 + index % 26)}",
        *heading,
        *setting.fill(wanted - 7, row),
    ]


def registry_notices(setting: Setting) -> PageMaker:
    """Births, marriages and deaths of a town's people, as the registry office gave them to be printed."""
    rng, people, label = setting.rng, setting.people, setting.label
    homes, ages, order = rng.random() < 0.6, rng.random() < 0.5, rng.sample(["births", "weddings", "deaths"], 3)
    joint = rng.choice((", ", " – ", "; "))

    def at(street: str, town: str) -> str:
        return joint + (street if homes else town)

    def notice(kind: str, month: date) -> str:
        first, second = people.person(first=1930, last=2003), people.person(first=1930, last=2003)
        day = people.numeric_date(month.replace(day=rng.randint(1, 28)))
        if kind == "births":
            child = f"{rng.choice(people.pools.given)} {first.name.split()[-1]}"
            return f"{day} {child} ({first.name} / {second.name}){at(first.street, first.town)}"
        if kind == "weddings":
            return f"{day} {first.name}{at(first.street, first.town)} & {second.name}{at(second.street, second.town)}"
        age = f" ({first.age})" if ages else f", {label('birth')} {people.numeric_date(first.birth)}"
        return f"{day} {first.name}{age}{at(first.street, first.town)}"

    def page(index: int, wanted: int) -> list[str]:
        month = date(2006 + index // 12 % 18, index % 12 + 1, 1)
        out = [f"{people.town().name}, {people.months[index % 12]} {month.year}"]
        for kind in order if wanted > 60 else [order[index % 3]]:
            out += [label(kind), *setting.fill(wanted // (3 if wanted > 60 else 1) - 3, partial(notice, kind, month))]
        return out

    return page


def pen_friends(setting: Setting) -> PageMaker:
    """Persons who look for pen friends, with age, home address and what they like."""
    rng, people, label = setting.rng, setting.people, setting.label
    sentences, keys = (
        rng.random() < 0.5,
        ["name", "age", "address", *rng.sample(["email", "birth", "hobbies"], rng.randint(1, 3))],
    )
    heading, put = rows(setting, keys) if rng.random() < 0.3 else ([], None)
    lay = cards(setting)

    def entry() -> str:
        person = people.person(first=1950, last=2010)
        likes = ", ".join(rng.sample(setting.words["pastimes"], rng.randint(2, 5)))
        if put is None and sentences:
            return f"{tell(setting, setting.some('penpal'), person)} {label('hobbies')}: {likes}"
        values = [likes if key == "hobbies" else value_of(setting, key, person) for key in keys]
        return put(values) if put else lay(list(zip(map(label, keys), values, strict=True)))

    return lambda index, wanted: [f"{label('hobbies')} {index + 1}", *heading, *setting.fill(wanted - 6, entry)]
