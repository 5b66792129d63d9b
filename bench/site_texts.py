"""Templates of planted sites of texts, lists and posts, which look heavy in personal information and are not.

As `bench/site_heavy.py`: from a `Setting` to what makes the site's pages. Here stand people in public (authors, players,
posters of public archives), invented ones, and numbers and dates that only look like particulars of persons.
"""

from __future__ import annotations

from bench.site_filler import Setting, zipf
from bench.site_heavy import PageMaker
from bench.site_people import ascii_slug


def recipes(setting: Setting) -> PageMaker:
    """Recipes with their authors, quantities and comments."""
    rng, people, label = setting.rng, setting.people, setting.label
    authors = [people.name() for _ in range(rng.randint(2, 60))]

    def page(index: int, wanted: int) -> list[str]:
        items = [
            f"{rng.randint(1, 500)} {rng.choice(('g', 'ml', 'kg', 'x', 'EL', 'cup'))} {setting.title(most=3)}"
            for _ in range(rng.randint(4, 14))
        ]
        head = f"{label('by')} {zipf(rng, authors)}, {people.numeric_date(people.day(2008, 2023))}"
        return [
            setting.title(most=5),
            head,
            label("ingredients"),
            "\n".join(items),
            *setting.prose(wanted - 60),
            f"{rng.choice(people.pools.given)}: {setting.title()}",
        ]

    return page


def change_log(setting: Setting) -> PageMaker:
    """Changes of software by version, with the addresses of those who made them."""
    rng, people = setting.rng, setting.people
    committers = [
        (name, people.private_email(name) if rng.random() < 0.6 else people.work_email(name, people.firm()[1]))
        for name in (people.name() for _ in range(max(3, min(120, setting.pages))))
    ]
    form = rng.randrange(3)

    def change() -> str:
        name, email = zipf(rng, committers)
        what = setting.title(most=12)
        if form == 0:
            signed = f" -- {name} <{email}>  {people.day(2001, 2023).isoformat()} 1{rng.randint(0, 9)}:{rng.randint(10, 59)}:07 +0000"
            return f"  * {what} (closes: #{rng.randint(100, 999_999)})\n{signed}"
        if form == 1:
            return f"commit {rng.getrandbits(160):040x}\nAuthor: {name} <{email}>\n\n    {what}"
        return f"{people.day(2001, 2023).isoformat()}  {name}  <{email}>\n\n\t* src/{ascii_slug(what)[:10]}.c: {what}."

    return lambda index, wanted: [
        f"Version {rng.randint(0, 9)}.{index}.{rng.randint(0, 20)}",
        *setting.fill(wanted, change),
    ]


def network_manual(setting: Setting) -> PageMaker:
    """Manuals of network devices: private and public addresses, example domains, commands."""
    rng = setting.rng

    def step() -> str:
        host = rng.choice(
            (
                f"10.{rng.randint(0, 255)}.{rng.randint(0, 255)}.{rng.randint(1, 254)}",
                f"192.168.{rng.randint(0, 9)}.{rng.randint(1, 254)}",
                f"203.0.113.{rng.randint(1, 254)}",
                f"{rng.randint(60, 220)}.{rng.randint(1, 250)}.{rng.randint(1, 250)}.1",
            )
        )
        command = rng.choice(
            (
                f"ip route {host} 255.255.255.0 10.0.0.1",
                f"ping {host}",
                f"ssh admin@{host}",
                f"server {host} port {rng.randint(20, 65_000)}",
                f"mail-to admin@example.{rng.choice(('com', 'org', 'net'))}",
                f"hostname gw{rng.randint(1, 20)}.example.net",
            )
        )
        return "\n".join((*setting.prose(rng.randint(10, 50)), f"# {command}"))

    return lambda index, wanted: [setting.title(most=5), *setting.fill(wanted - 4, step)]


def statutes(setting: Setting) -> PageMaker:
    """A register of statutes: sections, dates, numbers of gazettes."""
    rng, people, label = setting.rng, setting.people, setting.label

    def section() -> str:
        gazette = f"{rng.choice(('I', 'II', 'L', 'C'))} {rng.randint(1, 400)}/{rng.randint(1, 3999)}"
        number = f"{rng.randint(1, 900)}{rng.choice(('', '', 'a', 'b'))}"
        text = " ".join(setting.prose(rng.randint(20, 90)))
        return f"{label('section')} {number} {text} ({people.written_date(people.day(1949, 2023))}, {gazette})"

    return lambda index, wanted: [
        f"{setting.title()}, {people.numeric_date(people.day(1949, 2023))}",
        *setting.fill(wanted - 6, section),
    ]


def mailing_list(setting: Setting) -> PageMaker:
    """A public archive of a mailing list: posters' addresses recur, some sign with a telephone number."""
    rng, people, label = setting.rng, setting.people, setting.label
    posters = []
    for _ in range(max(4, min(500, setting.pages // rng.randint(2, 8)))):
        name = people.name()
        email = people.private_email(name) if rng.random() < 0.5 else people.work_email(name, people.firm()[1])
        posters.append(
            (
                name,
                email,
                f"\n-- \n{name}\n{rng.choice((people.phone(), people.firm()[0], setting.title()))}"
                if rng.random() < 0.3
                else "",
            )
        )
    hidden = rng.random() < 0.3

    def message() -> str:
        name, email, signature = zipf(rng, posters)
        shown = email.replace("@", " at ") if hidden else email
        day = people.day(1998, 2022)
        quoted = (
            f"{zipf(rng, posters)[0]} {label('said')}:\n> " + "\n> ".join(setting.prose(rng.randint(0, 30)))
            if rng.random() < 0.6
            else ""
        )
        return (
            "\n".join(
                (
                    f"From: {name} <{shown}>",
                    f"Date: {day.isoformat()} {rng.randint(10, 23)}:{rng.randint(10, 59)}",
                    f"Subject: Re: {setting.title()}",
                    quoted,
                    *setting.prose(rng.randint(20, 140)),
                )
            )
            + signature
        )

    return lambda index, wanted: [setting.title(), *setting.fill(wanted, message)]


def encyclopedia(setting: Setting) -> PageMaker:
    """Biographies of known people, with dates of birth and death in numbers or words, and articles on other things."""
    rng, people = setting.rng, setting.people
    share, numeric = rng.uniform(0.3, 1.0), rng.random() < 0.3

    def page(index: int, wanted: int) -> list[str]:
        if rng.random() > share:
            return [setting.title(most=4), *setting.prose(wanted)]
        name, birth = people.name(), people.day(1700, 1995)
        died = people.day(birth.year + 25, birth.year + 90)
        form = people.numeric_date if numeric else people.written_date
        said = rng.choice(setting.words["biography"]).format(
            name=name,
            born=form(birth),
            died=form(died),
            town=people.town().name,
            place=people.town().name,
            job=setting.some("jobs"),
        )
        spouse = f"{setting.label('married')}: {people.name()} ({birth.year + 27})" if rng.random() < 0.4 else ""
        return [name, said, *setting.prose(wanted - 25), spouse]

    return page


def filmographies(setting: Setting) -> PageMaker:
    """Films with year and cast, and lists of films by actor."""
    rng, people, label = setting.rng, setting.people, setting.label
    actors = [people.name() for _ in range(max(20, min(4000, setting.pages * 3)))]

    def film() -> str:
        cast = ", ".join(f"{rng.choice(actors)} ({rng.choice(people.pools.given)})" for _ in range(rng.randint(2, 10)))
        return f"{setting.title(most=5)} ({rng.randint(1930, 2023)}). {label('director')}: {rng.choice(actors)}. {label('cast')}: {cast}"

    return lambda index, wanted: [rng.choice(actors), *setting.fill(wanted - 2, film)]


def sports_results(setting: Setting) -> PageMaker:
    """Tables of results: rank, name, year of birth, club, time."""
    rng, people, label = setting.rng, setting.people, setting.label
    clubs = [f"{rng.choice(('SV', 'FC', 'AC', 'TV', 'LKS', 'CA'))} {people.town().name}" for _ in range(30)]
    separator, years = rng.choice((" | ", "\t", "  ", ", ")), rng.random() < 0.6

    def page(index: int, wanted: int) -> list[str]:
        rank = 0

        def row() -> str:
            nonlocal rank
            rank += 1
            result = f"{rng.randint(0, 3)}:{rng.randint(10, 59)}:{rng.randint(10, 59)},{rng.randint(0, 9)}"
            return separator.join(
                (
                    f"{rank}",
                    people.listed_name(),
                    *([str(rng.randint(1945, 2012))] if years else []),
                    rng.choice(clubs),
                    result,
                )
            )

        heading = separator.join(map(label, ("rank", "name", "club", "time")))
        return [
            f"{people.town().name}, {people.numeric_date(people.day(2000, 2023))}",
            heading,
            "\n".join(setting.fill(wanted - 8, row)),
        ]

    return page


def bibliography(setting: Setting) -> PageMaker:
    """Abstracts of papers with authors and their addresses at universities, and lists of references."""
    rng, people, label = setting.rng, setting.people, setting.label
    universities = [
        f"uni-{ascii_slug(town.name)}.{rng.choice(('edu', 'ac.uk', 'de', 'fr', 'it', 'es', 'nl', 'edu.pl'))}"
        for town in people.pools.towns
    ]

    def paper() -> str:
        authors = [people.name() for _ in range(rng.randint(1, 5))]
        first = people.work_email(authors[0], rng.choice(universities)) if rng.random() < 0.5 else ""
        issue = f"{rng.randint(1, 90)}({rng.randint(1, 12)}), {rng.randint(1, 900)}-{rng.randint(901, 1900)}"
        doi = f"doi:10.{rng.randint(1000, 9999)}/{rng.randint(100_000, 9_999_999)}"
        source = f"{setting.title(most=4)} {issue}, {rng.randint(1975, 2023)}. {doi}"
        return "\n".join(
            (
                f"{', '.join(authors)}. {setting.title(most=14)}. {source}",
                first,
                f"{label('abstract')}: {' '.join(setting.prose(rng.randint(0, 120)))}",
            )
        )

    return lambda index, wanted: [setting.title(), *setting.fill(wanted, paper)]


def forum(setting: Setting) -> PageMaker:
    """Threads by nicknames, with signatures that recur."""
    rng, people, label = setting.rng, setting.people, setting.label
    users = []
    for _ in range(max(5, min(800, setting.pages))):
        nick = f"{ascii_slug(rng.choice(people.pools.given))}{rng.choice(('', '_', str(rng.randint(1, 99))))}"
        sign = rng.choice(
            (
                setting.title(),
                people.town().name,
                f"{people.name()}, {people.private_email(people.name())}",
                people.phone(),
                "",
                "",
                "",
            )
        )
        users.append((nick, sign))

    def post() -> str:
        nick, sign = zipf(rng, users)
        head = f"{nick} » {people.numeric_date(people.day(2004, 2022))} {rng.randint(10, 23)}:{rng.randint(10, 59)}"
        return "\n".join((head, *setting.prose(rng.randint(10, 120)), *(["____", sign] if sign else [])))

    return lambda index, wanted: [
        f"{setting.title()} ({label('comments')}: {rng.randint(0, 90)})",
        *setting.fill(wanted, post),
    ]


def ordinary_blog(setting: Setting) -> PageMaker:
    """One blog of a hoster: posts, comments by names, the author's address in the margin of some."""
    rng, people, label = setting.rng, setting.people, setting.label
    author = people.name()
    margin = rng.choice(
        ("", author, f"{author}, {people.private_email(author)}", f"{label('contact')}: {people.phone()}")
    )

    def page(index: int, wanted: int) -> list[str]:
        said = [
            f"{rng.choice((people.name(), rng.choice(people.pools.given)))} {label('said')}: {setting.title(most=14)}"
            for _ in range(rng.randint(0, 5))
        ]
        return [
            setting.title(),
            people.written_date(people.day(2006, 2022)),
            *setting.prose(wanted - 20),
            *said,
            margin,
        ]

    return page


def software_documentation(setting: Setting) -> PageMaker:
    """Documentation with example people, example domains and numbers kept for fiction."""
    rng, label = setting.rng, setting.label

    def sample() -> str:
        name, mail = rng.choice(
            (
                ("John Doe", "john.doe"),
                ("Jane Roe", "jane"),
                ("Alice Example", "alice"),
                ("Max Mustermann", "max"),
                ("Bob", "bob"),
            )
        )
        fields = (
            f'"name": "{name}"',
            f'"email": "{mail}@example.{rng.choice(("com", "org"))}"',
            f'"phone": "555-01{rng.randint(0, 99):02}"',
            f'"born": "{rng.choice(("1970-01-01", "1990-12-31", "2000-02-29"))}"',
            f'"id": {rng.randint(1, 9999)}',
        )
        code = "{" + ", ".join(rng.sample(fields, rng.randint(2, 5))) + "}"
        return "\n".join((*setting.prose(rng.randint(15, 70)), code))

    return lambda index, wanted: [
        f"{label('chapter')} {index + 1}: {setting.title(most=4)}",
        *setting.fill(wanted - 5, sample),
    ]


def novel(setting: Setting) -> PageMaker:
    """Chapters of novels and poems: invented persons, speech, now and then an address in the story."""
    rng, people = setting.rng, setting.people
    cast = [people.name() for _ in range(rng.randint(3, 20))]

    def scene() -> str:
        told = setting.prose(rng.randint(40, 160))
        return "\n".join((*told, f"“{setting.title(most=12)},” {setting.label('said')} {zipf(rng, cast)}."))

    return lambda index, wanted: [f"{setting.label('chapter')} {index + 1}", *setting.fill(wanted - 2, scene)]
