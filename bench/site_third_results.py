"""Third batch of templates of planted sites of results, lists and catalogues, which look heavy and are not.

As `bench/site_heavy.py`: from a `Setting` to what makes the site's pages. Here stand players and actors, authors with their
works, and long numbers and hours of things.
"""

from __future__ import annotations

from bench.site_filler import Setting
from bench.site_heavy import PageMaker
from bench.site_people import ascii_slug, digits
from bench.site_third_work import catalogue


def episode_guide(setting: Setting) -> PageMaker:
    """Episodes of series with writers, directors, cast and parts, days of first showing."""
    rng, people, label = setting.rng, setting.people, setting.label
    actors, dots = (
        [people.name() for _ in range(max(20, min(2000, setting.pages * 2)))],
        rng.choice((" ... ", " as ", " – ", "\t")),
    )

    def episode() -> str:
        parts = [
            f"{rng.choice(actors)}{dots}{people.name() if rng.random() < 0.5 else rng.choice(people.pools.given)}"
            for _ in range(rng.randint(2, 9))
        ]
        head = f"{rng.randint(1, 12)}x{rng.randint(1, 24):02} {setting.title(most=5)} ({people.numeric_date(people.day(1965, 2023))})"
        return "\n".join(
            (head, f"{label('directed')}: {rng.choice(actors)}", *parts, *setting.prose(rng.randint(0, 50)))
        )

    return lambda index, wanted: [f"{label('cast')}: {setting.title(most=4)}", *setting.fill(wanted - 4, episode)]


def match_reports(setting: Setting) -> PageMaker:
    """Football by match day: line-ups, scorers with minutes, referees, spectators."""
    rng, people, label = setting.rng, setting.people, setting.label
    players, told = [people.name().split()[-1] for _ in range(300)], rng.choice((0, 30, 80))

    def match() -> str:
        home, away = (f"{rng.choice(('FC', 'SC', 'AS', 'SV', 'KS'))} {people.town().name}" for _ in range(2))
        sides = [f"{club}: {', '.join(rng.sample(players, 11))}" for club in (home, away)]
        goals = "; ".join(
            f"{rng.choice(players)} {minute}'" for minute in sorted(rng.sample(range(1, 91), rng.randint(1, 5)))
        )
        head = f"{people.numeric_date(people.day(2000, 2023))} {home} - {away} {rng.randint(0, 5)}:{rng.randint(0, 4)}"
        return "\n".join(
            (
                head,
                *sides,
                f"{label('goals')}: {goals}",
                f"{label('referee')}: {people.name()} ({rng.randint(200, 60_000)})",
                *setting.prose(rng.randint(0, told)),
            )
        )

    return lambda index, wanted: [f"{label('fixtures')} {index % 34 + 1}", *setting.fill(wanted - 2, match)]


def reference_lists(setting: Setting) -> PageMaker:
    """References to papers and books, as authors list them or as programs keep them."""
    rng, people, form = setting.rng, setting.people, setting.rng.randrange(3)

    def initials() -> str:
        *given, surname = people.name().split()
        return f"{surname}, {' '.join(f'{word[0]}.' for word in given)}"

    def reference() -> str:
        authors, year, title = (
            [initials() for _ in range(rng.randint(1, 5))],
            rng.randint(1950, 2023),
            setting.title(most=14),
        )
        journal, where = (
            setting.title(most=4),
            f"{rng.randint(1, 120)}({rng.randint(1, 12)}): {rng.randint(1, 900)}-{rng.randint(901, 1800)}",
        )
        if form == 0:
            return f"[{rng.randint(1, 400)}] {'; '.join(authors)}: {title}. {journal} {where} ({year})."
        if form == 1:
            fields = f'author = "{" and ".join(authors)}", title = "{title}", journal = "{journal}", year = {year}, doi = "10.{rng.randint(1000, 9999)}/{rng.getrandbits(30)}"'
            return f"@article{{{ascii_slug(authors[0])[:8]}{year}, {fields} }}"
        return "\n".join(
            (
                "TY  - JOUR",
                *(f"AU  - {author}" for author in authors),
                f"TI  - {title}",
                f"JO  - {journal}",
                f"PY  - {year}",
                f"SN  - {digits(rng, '####-####')}",
                "ER  -",
            )
        )

    return lambda index, wanted: [setting.title(), *setting.fill(wanted - 6, reference)]


def chess_ratings(setting: Setting) -> PageMaker:
    """A federation's list of players: number, name, club, rating; on some sites year of birth."""
    rng, people = setting.rng, setting.people

    def player() -> dict[str, str]:
        return {
            "rank": str(rng.randint(1, 9999)),
            "serial": digits(rng, "########"),
            "name": people.listed_name(),
            "club": f"{rng.choice(('SK', 'SC', 'CE', 'KSz'))} {people.town().name}",
            "rating": str(rng.randint(900, 2780)),
            "birth year": str(rng.randint(1938, 2014)),
        }

    return catalogue(
        setting,
        player,
        ("serial", "birth year", "rank"),
        title=lambda index: f"{setting.label('rating')} {people.months[index % 12]} {2005 + index % 19}",
    )


def race_results(setting: Setting) -> PageMaker:
    """Marathons and ski races: place, start number, name, club, times between, class."""
    rng, people, label = setting.rng, setting.people, setting.label

    def clock() -> str:
        return f"{rng.randint(0, 5)}:{rng.randint(0, 59):02}:{rng.randint(0, 59):02}"

    def runner() -> dict[str, str]:
        return {
            "rank": str(rng.randint(1, 4000)),
            "name": people.listed_name(),
            "club": f"{rng.choice(('LG', 'AC', 'TSV', 'AV'))} {people.town().name}",
            "category": f"{rng.choice('MWF')}{rng.randint(4, 16) * 5}",
            "time": clock(),
            "splits": f"{clock()} {clock()}",
        }

    return catalogue(
        setting,
        runner,
        ("category", "splits", "club"),
        title=lambda index: f"{label('rank')} {people.town().name} {people.numeric_date(people.day(2003, 2023))}",
    )


def book_catalogue(setting: Setting) -> PageMaker:
    """A bookshop's or a library's books: author, title, publisher, year, number."""
    rng, people = setting.rng, setting.people

    def book() -> dict[str, str]:
        return {
            "by": people.listed_name(),
            "title": setting.title(most=7),
            "publisher": f"{rng.choice(people.pools.surnames)}, {people.town().name} {rng.randint(1900, 2023)}",
            "isbn": digits(rng, rng.choice(("978-3-###-#####-#", "978#########N", "0-###-#####-#"))),
            "pages": str(rng.randint(48, 1200)),
            "price": f"{rng.randint(4, 90)},90",
        }

    return catalogue(
        setting,
        book,
        ("pages", "price", "publisher"),
        title=lambda index: f"{setting.label('publisher')} {index + 1}",
        told=rng.choice((0, 0, 40)),
    )


def timetable(setting: Setting) -> PageMaker:
    """Lines of buses and trains: stops with hours, the enquiry number below."""
    rng, people, label = setting.rng, setting.people, setting.label
    separator, desk = (
        rng.choice(("\t", " | ", "  ", ";")),
        f"{label('phone')} {people.phone()}, {rng.choice(('info', 'service'))}@{setting.domain}",
    )

    def line() -> str:
        start, stops = rng.randint(300, 500), []
        for _ in range(rng.randint(5, 12)):
            start += rng.randint(2, 9)
            hours = separator.join(f"{(start + 60 * trip) // 60 % 24:02}:{start % 60:02}" for trip in range(5))
            stops.append(f"{people.town().name}, {rng.choice(people.pools.streets)}{separator}{hours}")
        return "\n".join((f"{label('line')} {rng.randint(1, 899)}", *stops))

    return lambda index, wanted: [f"{label('stop')} {people.town().name}", *setting.fill(wanted - 6, line), desk]


def spare_parts(setting: Setting) -> PageMaker:
    """Spare parts by maker's number, with what they replace, dimensions and stock."""
    rng = setting.rng
    form, other = (
        rng.choice(("##-##-#-###-###", "###.###.##.##", "#########", "@### ### ###")),
        rng.choice(("## ## ####", "############")),
    )

    def part() -> dict[str, str]:
        number = digits(rng, form).replace("@", rng.choice("ABCFKN"))
        return {
            "part": number,
            "item": setting.some("goods"),
            "standard": digits(rng, other),
            "weight": f"{rng.randint(1, 9000)} g",
            "stock": str(rng.randint(0, 500)),
            "serial": digits(rng, "N###########"),
        }

    return catalogue(
        setting,
        part,
        ("standard", "weight", "stock", "serial"),
        title=lambda index: f"{setting.label('part')} {digits(rng, '####')}",
        told=rng.choice((0, 0, 25)),
    )
