"""Fourth batch of look-alikes, continued: films, leagues and publications.

As `bench/site_fourth_texts.py`.
"""

from __future__ import annotations

from bench.site_filler import Setting, zipf
from bench.site_fourth_heavy import form
from bench.site_heavy import PageMaker
from bench.site_people import ascii_slug


def film_credits(setting: Setting) -> PageMaker:
    """Films with parts and crew, line by line or run together; players' lists of films by year."""
    rng, people, label = setting.rng, setting.people, setting.label
    pool = [people.name() for _ in range(max(40, min(3000, setting.pages * 4)))]
    dots, lined = rng.choice((" ..... ", " – ", " as ", ": ")), rng.random() < 0.6

    def film() -> str:
        cast = [
            f"{zipf(rng, pool)}{dots}{people.name() if rng.random() < 0.5 else rng.choice(people.pools.given)}"
            for _ in range(rng.randint(3, 14))
        ]
        crew = [f"{setting.some('crafts')}: {rng.choice(pool)}" for _ in range(rng.randint(1, 6))]
        head = f"{setting.title(most=5)} ({rng.randint(1925, 2024)}), {rng.randint(70, 190)} min. {label('directed')}: {zipf(rng, pool)}"
        if lined:
            return "\n".join((head, label("cast"), *cast, *crew, *setting.prose(rng.randint(0, 40))))
        return f"{head}. {'; '.join(crew)}. {label('cast')}: {', '.join(cast)}."

    def player() -> str:
        years = sorted(rng.randint(1950, 2024) for _ in range(rng.randint(3, 15)))
        return "\n".join(
            (
                rng.choice(pool),
                *(f"{year} {setting.title(most=4)} ({rng.choice(people.pools.given)})" for year in years),
            )
        )

    return lambda index, wanted: [rng.choice(pool), *setting.fill(wanted - 2, film if index % 3 else player)]


def league_tables(setting: Setting) -> PageMaker:
    """A league's tables, matches with line-ups and scorers, and lists of the best."""
    rng, people, label = setting.rng, setting.people, setting.label
    towns = rng.sample(people.pools.towns, rng.randint(10, 18))
    clubs = [f"{rng.choice(('FC', 'SC', 'AS', 'VV', 'MKS', 'RC', 'TSV'))} {town.name}" for town in towns]
    squads = {club: [people.name() for _ in range(16)] for club in clubs}
    heading, write = form(setting, ["rank", "club", "played", "goals", "points"])
    best_heading, best_write = form(setting, ["rank", "name", "club", "goals"])
    years = rng.random() < 0.3

    def row(rank: int) -> str:
        return write(
            [
                str(rank),
                clubs[rank % len(clubs)],
                str(rng.randint(10, 34)),
                f"{rng.randint(9, 90)}:{rng.randint(9, 90)}",
                str(rng.randint(4, 88)),
            ]
        )

    def best(rank: int) -> str:
        club = rng.choice(clubs)
        name = zipf(rng, squads[club]) + (f" ({rng.randint(1985, 2009)})" if years else "")
        return best_write([str(rank), name, club, str(rng.randint(1, 33))])

    def match() -> str:
        home, away = rng.sample(clubs, 2)
        team = ", ".join(
            f"{name} ({rng.randint(1, 90)}.)" if rng.random() < 0.2 else name for name in rng.sample(squads[home], 11)
        )
        head = f"{people.numeric_date(people.day(2005, 2024))} {home} – {away} {rng.randint(0, 5)}:{rng.randint(0, 5)}"
        return "\n".join(
            (head, f"{home}: {team}", f"{label('referee')}: {people.name()}", *setting.prose(rng.randint(0, 50)))
        )

    def page(index: int, wanted: int) -> list[str]:
        rank = 0

        def ranked() -> str:
            nonlocal rank
            rank += 1
            return best(rank) if index % 3 == 1 else row(rank)

        title = f"{rng.randint(1, 34)}. {label('session')}, {rng.randint(2004, 2024)}"
        if index % 3 == 2:
            return [title, *setting.fill(wanted - 3, match)]
        return [title, *(best_heading if index % 3 == 1 else heading), "\n".join(setting.fill(wanted - 8, ranked))]

    return page


def publication_lists(setting: Setting) -> PageMaker:
    """Papers by year in one style of citation, with identifiers and now and then an author's address at work."""
    rng, people, label = setting.rng, setting.people, setting.label
    style, mails = rng.randrange(4), rng.random() < 0.4
    authors = [people.name() for _ in range(max(30, min(2000, setting.pages * 3)))]

    def short(name: str) -> str:
        given, surname = name.rsplit(" ", 1)
        return f"{surname}, {given[0]}." if style != 2 else f"{given[0]}. {surname}"

    def paper() -> str:
        chosen = [zipf(rng, authors) for _ in range(rng.randint(1, 7))]
        names, year, title = ", ".join(map(short, chosen)), rng.randint(1970, 2024), setting.title(most=16)
        pages = f"{rng.randint(1, 800)}–{rng.randint(801, 1700)}"
        numbers = rng.choice(
            (
                f"doi:10.{rng.randint(1000, 9999)}/{rng.getrandbits(40):x}",
                f"PMID {rng.randint(10**6, 10**8)}",
                f"ISSN {rng.randint(1000, 9999)}-{rng.randint(1000, 9999)}",
            )
        )
        if style == 3:
            key = f"{ascii_slug(chosen[0].split(' ')[-1])}{year}"
            return f"@article{{{key},\n  author = {{{' and '.join(chosen)}}},\n  title = {{{title}}},\n  year = {year},\n  pages = {{{pages}}}\n}}"
        mail = (
            f"\n{label('email')}: {people.work_email(chosen[0], people.firm()[1])}"
            if mails and rng.random() < 0.4
            else ""
        )
        if style == 1:
            return f"[{rng.randint(1, 400)}] {names}: “{title}”, {setting.title(most=4)} {rng.randint(1, 90)} ({year}) {pages}. {numbers}{mail}"
        return f"{names} ({year}). {title}. {setting.title(most=4)}, {rng.randint(1, 90)}({rng.randint(1, 12)}), {pages}. {numbers}{mail}"

    return lambda index, wanted: [f"{label('year')} {2024 - index % 50}", *setting.fill(wanted - 2, paper)]
