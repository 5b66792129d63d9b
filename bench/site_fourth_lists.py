"""Fourth batch of heavy templates of planted sites, continued: members, parties at court, and lists of private persons.

As `bench/site_fourth_heavy.py`.
"""

from __future__ import annotations

from bench.site_filler import Setting, zipf
from bench.site_fourth_heavy import form, particulars, persons, titled, told
from bench.site_heavy import PageMaker


def society_members(setting: Setting) -> PageMaker:
    """A society's register of its members, with how each is reached."""
    rng, label = setting.rng, setting.label
    keys = [
        "member",
        "name",
        *rng.sample(["address", "phone", "mobile", "email", "born", "joined", "spouse", "town"], rng.randint(2, 5)),
    ]
    if rng.random() < 0.5:
        del keys[0]
    extra = {"member": lambda: str(rng.randint(1, 9000))}
    return titled(persons(setting, keys, extra), lambda index: f"{label('member')} {chr(65 + index % 26)}")


def civil_dockets(setting: Setting) -> PageMaker:
    """Cases between private persons: parties with addresses or dates of birth, the matter and what came of it."""
    rng, people, label = setting.rng, setting.people, setting.label
    in_words = rng.random() < 0.4
    party = rng.choice(("address", "born"))
    keys = [
        "case",
        "plaintiff",
        "defendant",
        *rng.sample(["proceeding", "hearing", "status", "court"], rng.randint(1, 4)),
    ]
    _, write = form(setting, keys)

    def side() -> str:
        person = people.person()
        return f"{person.name}, {particulars(setting, person)[party]()}"

    def record() -> str:
        year = rng.randint(2009, 2023)
        values = {
            "case": f"{year}-{rng.choice(('CV', 'FL', 'SC'))}-{rng.randint(10, 9999):04}",
            "plaintiff": side() if rng.random() < 0.8 else people.firm()[0],
            "defendant": side(),
            "proceeding": setting.some("proceedings"),
            "hearing": people.numeric_date(people.day(year + 1, year + 1)),
            "status": setting.some("outcomes"),
            "court": people.town().name,
        }
        return f"{values['case']}. {told(setting, 'docket')}" if in_words else write([values[key] for key in keys])

    return lambda index, wanted: [f"{label('court')} {people.town().name}", *setting.fill(wanted - 2, record)]


def babysitters(setting: Setting) -> PageMaker:
    """Private persons who offer to mind children: name, age, home and telephone."""
    rng, people = setting.rng, setting.people
    listed = rng.random() < 0.5
    keys = [
        "name",
        "age",
        *rng.sample(["town", "phone", "email", "hourly", "experience", "address", "spoken"], rng.randint(3, 5)),
    ]
    _, write = form(setting, keys)
    length = rng.randint(0, 30)

    def offer() -> str:
        if not listed:
            return " ".join((told(setting, "sitter"), *setting.prose(rng.randint(0, length))))
        known = particulars(setting, people.person(first=1955, last=2007))
        known |= {"hourly": lambda: f"{rng.randint(6, 22)}", "experience": lambda: str(rng.randint(1, 20))}
        known["spoken"] = lambda: rng.choice(("EN", "FR", "DE, EN", "ES", "PL"))
        return "\n".join((write([known[key]() for key in keys]), *setting.prose(rng.randint(0, length))))

    return lambda index, wanted: [people.town().name, *setting.fill(wanted - 1, offer)]


def radio_callbook(setting: Setting) -> PageMaker:
    """Radio amateurs by call sign, with their home addresses."""
    rng, label = setting.rng, setting.label
    prefix = {
        "en_US": "KWN",
        "en_GB": "GM",
        "de_DE": "D",
        "fr_FR": "F",
        "es_ES": "E",
        "it_IT": "I",
        "nl_NL": "P",
        "pl_PL": "S",
    }
    keys = [
        "call sign",
        "name",
        "address",
        *rng.sample(["licence", "email", "joined", "birth year"], rng.randint(0, 3)),
    ]
    extra = {
        "call sign": lambda: (
            f"{rng.choice(prefix[setting.locale])}{rng.choice('ABKLOQ')}{rng.randint(0, 9)}{''.join(rng.choices('ABCDEFGHKLMNPRSTUVWXYZ', k=rng.randint(2, 3)))}"
        ),
        "licence": lambda: rng.choice("AENGT"),
    }
    return titled(persons(setting, keys, extra, kept=0.95), lambda index: f"{label('call sign')} {index + 1}")


def naturalised_citizens(setting: Setting) -> PageMaker:
    """Lists of persons who became citizens: name, birth, where they come from, where they live."""
    rng, people, label = setting.rng, setting.people, setting.label
    keys = [
        "name",
        "born",
        *rng.sample(["birthplace", "nationality", "town", "parents", "spouse", "address"], rng.randint(1, 4)),
    ]
    number = rng.randint(10, 90)
    make = persons(setting, keys, {}, kept=0.97)
    return titled(
        make, lambda index: f"{label('decree')} {number + index}, {people.written_date(people.day(1998, 2023))}"
    )


def parents_phone_lists(setting: Setting) -> PageMaker:
    """Lists of a school's forms: children, their parents, telephones, addresses."""
    rng, people, label = setting.rng, setting.people, setting.label
    keys = ["child", *rng.sample(["parents", "phone", "mobile", "email", "address", "born"], rng.randint(2, 5))]
    heading, write = form(setting, keys)
    teachers = [people.name() for _ in range(12)]

    def record() -> str:
        surname, person = rng.choice(people.pools.surnames), people.person(first=2007, last=2016)
        mother = f"{rng.choice(people.pools.given)} {surname}"
        known = particulars(setting, person) | {"child": lambda: f"{rng.choice(people.pools.given)} {surname}"}
        known |= {"email": lambda: people.private_email(mother)}
        known["parents"] = lambda: f"{mother}, {rng.choice(people.pools.given)} {surname}"
        return write([known[key]() for key in keys])

    def page(index: int, wanted: int) -> list[str]:
        title = f"{label('form')} {index % 10 + 1}{rng.choice('abcd')}"
        return [title, f"({zipf(rng, teachers)})", *heading, *setting.fill(wanted - 6, record)]

    return page
