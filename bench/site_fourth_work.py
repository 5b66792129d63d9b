"""Fourth batch of look-alikes: planted sites of firms, offices and public events.

As `bench/site_work.py`. Here stand people at work with the contact that their work has, people in public, and firms.
Written by a hand that had not seen the rule that these sites measure.
"""

from __future__ import annotations

from bench.site_filler import Setting, zipf
from bench.site_fourth_heavy import form
from bench.site_heavy import PageMaker
from bench.site_people import ascii_slug
from bench.site_work import office_address


def clock(setting: Setting, first: int, last: int) -> str:
    """An hour of the day, as it stands in times and programmes."""
    return f"{setting.rng.randint(first, last)}:{setting.rng.choice(('00', '15', '30', '45'))}"


def daily_news(setting: Setting) -> PageMaker:
    """Articles signed by their reporters, persons in the news by name, notes on the writer below some."""
    rng, people, label = setting.rng, setting.people, setting.label
    reporters, top, note = setting.staff(80), rng.random() < 0.5, rng.randrange(4)

    def page(index: int, wanted: int) -> list[str]:
        name, email = zipf(rng, reporters)
        day = people.day(2008, 2024)
        line = f"{label('by')} {name}, {people.town().name}, {people.written_date(day)}, {clock(setting, 6, 22)}"
        news = [
            f"{people.name()}, {rng.randint(18, 84)}, {setting.some('jobs')}: “{setting.title(most=14)}.”"
            for _ in range(rng.choice((0, 0, 1, 2, 3)))
        ]
        about = (f"{name}: {setting.title(most=12)}. {email}", email, f"@{ascii_slug(name)[:14]}", "")[note]
        tags = f"{label('tags')}: {people.town().name}, {people.name()}, {setting.some('parties')}"
        text = setting.prose(max(10, wanted - 45))
        head = [line, text[0]] if top else [text[0], line]
        return [setting.title(most=10), *head, *news[:1], *text[1:], *news[1:], about, tags]

    return page


def outlet_store(setting: Setting) -> PageMaker:
    """Goods with sizes, prices and article numbers; reviews signed by a given name and a town; a line to order by."""
    rng, people, label = setting.rng, setting.people, setting.label
    keys = ["item", "price", *rng.sample(["part", "stock", "weight", "title", "score"], rng.randint(1, 4))]
    heading, write = form(setting, keys)
    hotline = rng.choice((f"{label('support')}: {people.phone()}", f"orders@{setting.domain}", ""))
    reviewed = rng.random() < 0.6

    def entry() -> str:
        values = {
            "item": setting.some("goods"),
            "price": f"{rng.randint(1, 400)}.{rng.choice(('00', '49', '90', '99'))}",
            "part": f"{rng.randint(10**6, 10**10)}",
            "stock": str(rng.randint(0, 400)),
            "weight": f"{rng.randint(1, 40)}.{rng.randint(0, 9)} kg",
            "title": setting.title(most=5),
            "score": f"{rng.randint(2, 4)}.{rng.randint(0, 9)}/5 ({rng.randint(1, 900)})",
        }
        said = f"{rng.choice(people.pools.given)}, {people.town().name}, {people.numeric_date(people.day(2015, 2024))}: {setting.title(most=14)}"
        lines = [write([values[key] for key in keys])]
        return "\n".join(
            (*lines, *setting.prose(rng.randint(0, 50)), *([said] if reviewed and rng.random() < 0.6 else []))
        )

    return lambda index, wanted: [setting.some("goods"), *heading, *setting.fill(wanted - 8, entry), hotline]


def attorneys(setting: Setting) -> PageMaker:
    """A law firm's team with fields, direct lines and own-domain addresses, and its notes on cases."""
    rng, people, label = setting.rng, setting.people, setting.label
    keys = [
        "name",
        "expertise",
        *rng.sample(["phone", "email", "fax", "admitted", "spoken", "mobile"], rng.randint(2, 4)),
    ]
    _, write = form(setting, keys)
    base, share = people.phone(), rng.uniform(0.1, 0.5)
    team = []
    for name, email in setting.staff(40):
        values = {"name": name, "email": email, "phone": people.extension(base), "fax": people.extension(base)}
        values |= {"admitted": str(rng.randint(1982, 2021)), "spoken": rng.choice(("EN", "EN, FR", "DE, EN"))}
        values |= {"mobile": people.phone(), "expertise": f"{setting.some('law fields')}, {setting.some('law fields')}"}
        team.append((name, write([values[key] for key in keys])))

    def page(index: int, wanted: int) -> list[str]:
        if index < len(team) and rng.random() < share + 0.4:
            return [*team[index], *setting.prose(wanted - 20)]
        if rng.random() < share:
            return [label("contact"), office_address(setting), *setting.fill(wanted - 10, lambda: zipf(rng, team)[1])]
        return [f"{setting.some('law fields')}: {setting.title()}", *setting.prose(wanted - 15), zipf(rng, team)[1]]

    return page


def university_department(setting: Setting) -> PageMaker:
    """A department's pages: rows of staff, persons with teaching and papers, and notices."""
    rng, people = setting.rng, setting.people
    keys = ["name", "email", *rng.sample(["phone", "room", "hours", "role", "courses"], rng.randint(2, 4))]
    heading, write = form(setting, keys)
    base, degrees = people.phone(), ("Prof.", "Dr.", "PhD", "M.Sc.", "Dr. habil.")
    everybody = [people.name() for _ in range(max(6, min(150, setting.pages)))]

    def card(name: str) -> str:
        values = {
            "name": f"{rng.choice(degrees)} {name}",
            "email": people.work_email(name, setting.domain),
            "phone": people.extension(base),
            "room": f"{rng.randint(0, 6)}.{rng.randint(1, 60):02}",
            "hours": f"{rng.randint(1, 5)}. {clock(setting, 9, 16)}",
            "role": setting.some("subjects"),
            "courses": f"{setting.some('subjects')} {rng.choice(('I', 'II', 'III'))}",
        }
        return write([values[key] for key in keys])

    def paper() -> str:
        names = ", ".join(zipf(rng, everybody) for _ in range(rng.randint(1, 4)))
        return f"{names}: {setting.title(most=12)}. {rng.randint(1995, 2024)}."

    def page(index: int, wanted: int) -> list[str]:
        kind = rng.random()
        if kind < 0.25:
            return [setting.some("subjects"), *heading, *setting.fill(wanted - 5, lambda: card(rng.choice(everybody)))]
        if kind < 0.7:
            name = everybody[index % len(everybody)]
            return [name, card(name), *setting.prose(wanted // 2), *setting.fill(wanted // 2, paper)]
        return [setting.title(), *setting.prose(wanted - 20), card(zipf(rng, everybody))]

    return page


def county_services(setting: Setting) -> PageMaker:
    """What a county's offices do, where and when, and who answers the telephone."""
    rng, people = setting.rng, setting.people
    keys = ["title", "office", *rng.sample(["phone", "fax", "email", "hours", "contact", "room"], rng.randint(3, 6))]
    _, write = form(setting, keys)
    base, length = people.phone(), rng.randint(10, 120)

    def office() -> str:
        body, name = setting.some("bodies"), people.name()
        mail = f"{ascii_slug(body)[:16]}@{setting.domain}"
        values = {
            "title": body,
            "office": office_address(setting),
            "phone": people.extension(base),
            "fax": people.extension(base),
            "email": mail if rng.random() < 0.6 else people.work_email(name, setting.domain),
            "hours": f"{clock(setting, 7, 9)}-{clock(setting, 12, 13)}, {clock(setting, 14, 14)}-{clock(setting, 16, 18)}",
            "contact": name,
            "room": str(rng.randint(1, 330)),
        }
        return "\n".join((write([values[key] for key in keys]), *setting.prose(rng.randint(0, length))))

    return lambda index, wanted: [f"{setting.some('bodies')} {people.town().name}", *setting.fill(wanted - 4, office)]


def yellow_pages(setting: Setting) -> PageMaker:
    """Trades of a town: many run under their owners' names, with address, telephone, web address."""
    rng, people = setting.rng, setting.people
    keys = [
        "firm",
        "works",
        "office",
        "phone",
        *rng.sample(["email", "hours", "mobile", "director"], rng.randint(0, 3)),
    ]
    heading, write = form(setting, keys)
    length = rng.choice((0, 0, 30))

    def entry() -> str:
        trade, (firm, domain) = setting.some("trades"), people.firm()
        owner = people.name()
        values = {
            "firm": firm if rng.random() < 0.6 else f"{trade} {owner}",
            "works": trade,
            "office": office_address(setting),
            "phone": people.phone(),
            "email": f"info@{domain}" if rng.random() < 0.85 else people.private_email(owner),
            "hours": f"{clock(setting, 7, 9)}-{clock(setting, 17, 18)}",
            "mobile": people.phone() if rng.random() < 0.4 else "",
            "director": owner,
        }
        web = [f"www.{domain}"] if rng.random() < 0.4 else []
        return "\n".join((write([values[key] for key in keys]), *web, *setting.prose(rng.randint(0, length))))

    return lambda index, wanted: [
        f"{setting.some('trades')} {people.town().name}",
        *heading,
        *setting.fill(wanted - 6, entry),
    ]


def listings_calendar(setting: Setting) -> PageMaker:
    """What happens day by day: hour, house, performers, where tickets are sold."""
    rng, people = setting.rng, setting.people
    houses = [
        (f"{people.town().name} {setting.title(most=3)}", office_address(setting), people.phone())
        for _ in range(rng.randint(5, 40))
    ]
    keys = ["time", "title", "venue", *rng.sample(["with", "box office", "admission", "organiser"], rng.randint(1, 4))]
    _, write = form(setting, keys)

    def entry() -> str:
        house, address, phone = zipf(rng, houses)
        firm, domain = people.firm()
        values = {
            "time": clock(setting, 10, 21),
            "title": setting.title(),
            "venue": f"{house}, {address}" if rng.random() < 0.6 else house,
            "with": ", ".join(f"{people.name()} ({setting.some('voices')})" for _ in range(rng.randint(1, 4))),
            "box office": rng.choice((phone, f"tickets@{domain}")),
            "admission": f"{rng.randint(0, 60)}",
            "organiser": firm,
        }
        return "\n".join((write([values[key] for key in keys]), *setting.prose(rng.randint(0, 40))))

    return lambda index, wanted: [people.written_date(people.day(2016, 2024)), *setting.fill(wanted - 3, entry)]


def auction_lots(setting: Setting) -> PageMaker:
    """Lots of an auction house: artist with places and years of birth and death, technique, size, provenance."""
    rng, people, label = setting.rng, setting.people, setting.label
    expert, email = setting.staff(6)[0]
    exact = rng.random() < 0.4
    reach = rng.choice((f"{expert}, {email}, {people.phone()}", office_address(setting), ""))

    def lot() -> str:
        born = people.day(1750, 1950)
        died = people.day(born.year + 28, born.year + 74)
        if exact:
            dates = f"* {people.written_date(born)} {people.town().name} – † {people.written_date(died)} {people.town().name}"
        else:
            dates = f"{people.town().name} {born.year} – {died.year} {people.town().name}"
        size = f"{rng.randint(8, 200)} x {rng.randint(8, 200)} cm"
        facts = (
            f"{setting.title(most=5)}. {setting.some('techniques')}, {size}, {rng.randint(born.year + 20, died.year)}"
        )
        price = f"{label('estimate')}: {rng.randint(1, 90)}.000"
        sold = f" {label('sold')}: {rng.randint(1, 200)}.000" if rng.random() < 0.5 else ""
        head = f"{label('lot')} {rng.randint(1, 2000)} {people.name()} ({dates})"
        return "\n".join((head, facts, *setting.prose(rng.randint(0, 60)), price + sold))

    return lambda index, wanted: [
        f"{setting.title(most=4)}, {people.written_date(people.day(2010, 2024))}",
        *setting.fill(wanted - 8, lot),
        reach,
    ]


def clinical_trials(setting: Setting) -> PageMaker:
    """A register of medical studies: sponsor, phase, hospitals, investigators and how to reach them at work."""
    rng, people = setting.rng, setting.people
    keys = [
        "title",
        "diagnosis",
        "sponsor",
        *rng.sample(["phase", "investigator", "date", "contact"], rng.randint(2, 4)),
    ]
    _, write = form(setting, keys)
    sites = rng.randint(0, 4)

    def study() -> str:
        firm, domain = people.firm()
        name = people.name()
        values = {
            "title": setting.title(most=12),
            "diagnosis": setting.some("diagnoses"),
            "sponsor": firm,
            "phase": rng.choice(("I", "II", "III", "IV", "II/III")),
            "investigator": f"{name}, MD",
            "date": people.numeric_date(people.day(2003, 2024)),
            "contact": f"{people.phone()}, trials@{domain}",
        }
        places = [
            f"{people.place(people.town())}: {people.name()}, {people.work_email(name, domain) if rng.random() < 0.3 else people.phone()}"
            for _ in range(rng.randint(0, sites))
        ]
        number = f"NCT{rng.randint(10**7, 10**8 - 1)}"
        return "\n".join((number, write([values[key] for key in keys]), *places, *setting.prose(rng.randint(20, 90))))

    return lambda index, wanted: [setting.some("diagnoses"), *setting.fill(wanted - 2, study)]


def branch_finder(setting: Setting) -> PageMaker:
    """The branches of one chain: address, telephone, hours, who runs them."""
    rng, people, label = setting.rng, setting.people, setting.label
    keys = ["branch", "office", "phone", *rng.sample(["hours", "manager", "fax", "email"], rng.randint(1, 4))]
    heading, write = form(setting, keys)
    chain, hours = rng.choice(people.pools.surnames), f"{clock(setting, 8, 10)}-{clock(setting, 17, 20)}"

    def shop() -> str:
        town = people.town()
        values = {
            "branch": f"{chain} {town.name}",
            "office": f"{people.street()}, {people.place(town)}",
            "phone": people.phone(),
            "hours": hours if rng.random() < 0.7 else f"{clock(setting, 8, 10)}-{clock(setting, 17, 20)}",
            "manager": people.name(),
            "fax": people.phone(),
            "email": f"{ascii_slug(town.name)}@{setting.domain}",
        }
        return write([values[key] for key in keys])

    return lambda index, wanted: [f"{label('branch')} {people.town().name}", *heading, *setting.fill(wanted - 5, shop)]


def guest_reviews(setting: Setting) -> PageMaker:
    """Reviews of hotels by guests with a given name and an initial, and the answers of the house."""
    rng, people, label = setting.rng, setting.people, setting.label
    countries, answered = ("D", "NL", "F", "UK", "US", "I", "E", "PL"), rng.random() < 0.5
    house = f"Hotel {rng.choice(people.pools.streets)}"
    host, phone = people.name(), people.phone()

    def review() -> str:
        stay = people.day(2014, 2024)
        guest = rng.choice(
            (rng.choice(people.pools.given), f"{rng.choice(people.pools.given)} {rng.choice('ABDFGHKLMPRSW')}.")
        )
        head = f"{guest} ({rng.choice(countries)}) – {label('score')} {rng.randint(3, 10)}/10 – {label('stayed')} {people.numeric_date(stay)}"
        answer = (
            f"> {rng.choice(people.pools.given)}, {setting.title(most=16)}. {host}, {house}"
            if answered and rng.random() < 0.4
            else ""
        )
        return "\n".join(filter(None, (head, *setting.prose(rng.randint(8, 90)), answer)))

    return lambda index, wanted: [
        f"{house}, {people.town().name}",
        office_address(setting),
        phone,
        *setting.fill(wanted - 12, review),
    ]
