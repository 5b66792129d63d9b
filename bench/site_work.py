"""Templates of planted sites of firms and offices, which look heavy in personal information and are not.

As `bench/site_heavy.py`: from a `Setting` to what makes the site's pages. Here stand people at work (reporters, officials,
doctors, agents) with the contact that their work has, and firms.
"""

from __future__ import annotations

from bench.site_filler import Setting, layout, zipf
from bench.site_heavy import PageMaker
from bench.site_people import ascii_slug


def office_address(setting: Setting) -> str:
    """A street address."""
    people = setting.people
    return f"{people.street()}, {people.place(people.town())}"


def newspaper(setting: Setting) -> PageMaker:
    """Articles with bylines, reporters' addresses at the paper's own domain, and the newsroom's number."""
    rng, people, label = setting.rng, setting.people, setting.label
    reporters, desk, shown = setting.staff(60), people.phone(), rng.randrange(4)

    def page(index: int, wanted: int) -> list[str]:
        name, email = zipf(rng, reporters)
        quoted = [
            f"«{setting.title(most=12)}», {people.name()} ({rng.randint(19, 88)}), {people.town().name}."
            for _ in range(rng.randint(0, 3))
        ]
        close = (
            f"{name} <{email}>",
            f"{label('contact')}: {email}, {label('phone')} {desk}",
            f"{label('press')}: {desk}",
            "",
        )[shown]
        head = f"{label('by')} {name} | {people.written_date(people.day(2005, 2023))}"
        return [setting.title(), head, *setting.prose(wanted - 20), *quoted, close]

    return page


def shop(setting: Setting) -> PageMaker:
    """Products with article numbers, prices, reviews by given names, a contact line on each page."""
    rng, people, label = setting.rng, setting.people, setting.label
    order = f"{label('contact')}: {people.phone()} | {rng.choice(('shop', 'orders', 'service'))}@{setting.domain}"

    def page(index: int, wanted: int) -> list[str]:
        size = f"{rng.randint(10, 300)} x {rng.randint(10, 300)} mm"
        numbers = f"SKU {rng.randint(10_000, 9_999_999)} EAN {rng.randint(10**12, 10**13 - 1)} {size}"
        said = [
            f"{rng.choice(people.pools.given)} {rng.choice('ABDFHKMRS')}. ★★★★{rng.choice('★☆')} {setting.title()}"
            for _ in range(rng.randint(0, 4))
        ]
        return [
            setting.title(most=5),
            f"{label('price')}: {rng.randint(3, 900)}.99",
            numbers,
            *setting.prose(wanted - 30),
            *said,
            order,
        ]

    return page


def law_firm(setting: Setting) -> PageMaker:
    """Lawyers' pages with direct telephone and own-domain e-mail, and articles that name them."""
    rng, people, label = setting.rng, setting.people, setting.label
    lawyers = [(name, email, people.phone()) for name, email in setting.staff(45)]
    lay, office = layout(rng), office_address(setting)

    def page(index: int, wanted: int) -> list[str]:
        name, email, phone = lawyers[index] if index < len(lawyers) else zipf(rng, lawyers)
        card = lay([(label("name"), name), (label("phone"), phone), (label("email"), email)])
        if index < len(lawyers):
            return [
                name,
                card,
                office,
                *setting.prose(wanted - 15),
                f"{label('school')}: {people.town().name} {rng.randint(1980, 2012)}",
            ]
        return [setting.title(), *setting.prose(wanted - 15), f"{label('contact')}: {card}"]

    return page


def faculty(setting: Setting) -> PageMaker:
    """A university's staff pages with telephone, own-domain e-mail, office and publications."""
    rng, people, label = setting.rng, setting.people, setting.label
    count = max(2, min(400, setting.pages * 2 // 3))
    names = [people.name() for _ in range(count)]
    base, lay = people.phone(), layout(rng)

    def page(index: int, wanted: int) -> list[str]:
        if index >= count and rng.random() < 0.5:
            return [setting.title(), *setting.prose(wanted - 8)]
        name = names[index % count]
        pairs = [
            (label("phone"), people.extension(base)),
            (label("email"), people.work_email(name, setting.domain)),
        ]
        pairs.append((label("room"), f"{rng.choice('ABCDE')} {rng.randint(1, 5)}.{rng.randint(1, 40):02}"))
        papers = [
            f"{name}, {people.name()} ({rng.randint(1990, 2023)}). {setting.title()}." for _ in range(rng.randint(0, 8))
        ]
        return [
            f"{rng.choice(('Prof.', 'Dr.', 'Prof. Dr.', 'M.A.'))} {name}",
            lay(pairs),
            *setting.prose(wanted - 15 - 12 * len(papers)),
            *papers,
        ]

    return page


def public_offices(setting: Setting) -> PageMaker:
    """Offices of a town: addresses, telephone numbers, hours, role addresses and officials' own-domain addresses."""
    rng, people, label = setting.rng, setting.people, setting.label
    lay = layout(rng)

    def office() -> str:
        name = people.name()
        email = (
            f"{ascii_slug(setting.title(most=3))[:12]}@{setting.domain}"
            if rng.random() < 0.5
            else people.work_email(name, setting.domain)
        )
        pairs = [
            (label("contact"), name),
            (label("office"), office_address(setting)),
            (label("room"), str(rng.randint(1, 420))),
        ]
        pairs += [(label("phone"), people.phone()), (label("fax"), people.phone()), (label("email"), email)]
        pairs.append((label("hours"), f"8:00-12:00, 13:00-{rng.randint(15, 18)}:00"))
        return "\n".join((setting.title(most=4), lay(pairs), *setting.prose(rng.randint(0, 60))))

    return lambda index, wanted: [setting.title(most=5), *setting.fill(wanted - 5, office)]


def business_directory(setting: Setting) -> PageMaker:
    """Firms with address, telephone number, e-mail and web address at domains of their own."""
    rng, people, label = setting.rng, setting.people, setting.label
    lay, told, mails = layout(rng), rng.randint(0, 40), rng.random() < 0.6

    def entry() -> str:
        name, domain = people.firm()
        pairs = [(label("firm"), name), (label("office"), office_address(setting)), (label("phone"), people.phone())]
        if mails:
            role = rng.choice(("info", "office", "contact", "sales", ascii_slug(people.name().split()[0])))
            pairs.append((label("email"), f"{role}@{domain}"))
        return "\n".join((lay([*pairs, ("Web", f"www.{domain}")]), *setting.prose(told)))

    return lambda index, wanted: [f"{setting.some('jobs')} {people.town().name}", *setting.fill(wanted - 3, entry)]


def restaurant_guide(setting: Setting) -> PageMaker:
    """Restaurants with address, telephone number, hours, and what the critic says."""
    rng, people, label = setting.rng, setting.people, setting.label
    told = rng.randint(20, 150)
    critics = [people.name() for _ in range(4)]

    def entry() -> str:
        kind = rng.choice(("Restaurant", "Café", "Trattoria", "Bistro", "Bar"))
        name = f"{kind} {rng.choice(people.pools.surnames if rng.random() < 0.5 else people.pools.given)}"
        facts = (
            f"{office_address(setting)}, {label('phone')} {people.phone()}, {label('hours')} 11-{rng.randint(20, 23)}"
        )
        return "\n".join((name, facts, *setting.prose(told), f"({rng.choice(critics)})"))

    return lambda index, wanted: [people.town().name, *setting.fill(wanted, entry)]


def events(setting: Setting) -> PageMaker:
    """Events with venue and address, performers, the organiser's telephone number."""
    rng, people, label = setting.rng, setting.people, setting.label
    venues = [(setting.title(most=3), office_address(setting)) for _ in range(rng.randint(4, 40))]
    organisers = [(people.firm(), people.phone()) for _ in range(rng.randint(3, 30))]
    lay = layout(rng)

    def entry() -> str:
        (venue, address), ((firm, domain), phone) = zipf(rng, venues), zipf(rng, organisers)
        players = ", ".join(people.name() for _ in range(rng.randint(1, 4)))
        pairs = [
            (label("date"), f"{people.numeric_date(people.day(2015, 2024))} {rng.randint(17, 21)}:30"),
            (label("venue"), f"{venue}, {address}"),
        ]
        pairs += [(label("with"), players), (label("organiser"), f"{firm}, {phone}, tickets@{domain}")]
        return "\n".join((setting.title(), lay(pairs), *setting.prose(rng.randint(0, 60))))

    return lambda index, wanted: [label("date"), *setting.fill(wanted, entry)]


def estate_agency(setting: Setting) -> PageMaker:
    """Houses for sale with street addresses, and the agents' telephone numbers and addresses, which recur."""
    rng, people, label = setting.rng, setting.people, setting.label
    agents = [(name, email, people.phone()) for name, email in setting.staff(30)]

    def listing() -> str:
        name, email, phone = zipf(rng, agents)
        where = office_address(setting) if rng.random() < 0.6 else people.town().name
        facts = f"{label('rent')}: {where}. {rng.randint(30, 300)} m², {label('price')} {rng.randint(60, 990)} 000"
        return "\n".join((facts, *setting.prose(rng.randint(20, 100)), f"{label('agent')}: {name}, {phone}, {email}"))

    return lambda index, wanted: [people.town().name, *setting.fill(wanted, listing)]


def school_news(setting: Setting) -> PageMaker:
    """News of a school or parish: children's and helpers' names without particulars, the office's contact."""
    rng, people, label = setting.rng, setting.people, setting.label
    office = f"{label('contact')}: {people.phone()}, office@{setting.domain}"

    def item() -> str:
        names = ", ".join(
            people.name()
            if rng.random() < 0.5
            else f"{rng.choice(people.pools.given)} ({rng.randint(5, 10)}{rng.choice('abc')})"
            for _ in range(rng.randint(2, 9))
        )
        return "\n".join(
            (
                f"{people.numeric_date(people.day(2012, 2023))} {setting.title()}",
                *setting.prose(rng.randint(20, 120)),
                f"{label('with')}: {names}",
            )
        )

    return lambda index, wanted: [label("news"), *setting.fill(wanted - 8, item), office]


def company_registry(setting: Setting) -> PageMaker:
    """Entries of a commercial register: firm, number, seat, managing directors' names."""
    rng, people, label = setting.rng, setting.people, setting.label
    lay, since = layout(rng), rng.random() < 0.5

    def entry() -> str:
        pairs = [
            (label("firm"), people.firm()[0]),
            (label("registered"), str(rng.randint(1000, 999_999_999))),
            (label("office"), office_address(setting)),
        ]
        pairs.append((label("director"), ", ".join(people.name() for _ in range(rng.randint(1, 3)))))
        return lay([*pairs, (label("date"), people.numeric_date(people.day(1985, 2023)))] if since else pairs)

    return lambda index, wanted: [people.firm()[0], *setting.fill(wanted - 3, entry)]


def travel_guide(setting: Setting) -> PageMaker:
    """Hotels and sights with address, telephone number, hours and web address."""
    rng, people, label = setting.rng, setting.people, setting.label
    told = rng.randint(30, 160)

    def entry() -> str:
        name, domain = f"Hotel {rng.choice(people.pools.streets)}", people.firm()[1]
        facts = [
            office_address(setting),
            f"{label('phone')} {people.phone()}",
            f"reception@{domain}",
            f"{label('price')} {rng.randint(40, 400)}",
        ]
        return "\n".join((name, " · ".join(facts[: rng.randint(2, 4)]), *setting.prose(told)))

    return lambda index, wanted: [people.town().name, *setting.fill(wanted, entry)]


def medical_directory(setting: Setting) -> PageMaker:
    """Doctors with the address, telephone number and hours of their practice."""
    rng, people, label = setting.rng, setting.people, setting.label
    lay, mails = layout(rng), rng.random() < 0.5

    def entry() -> str:
        name = people.name()
        pairs = [
            (label("practice"), setting.some("doctor") % name),
            (label("office"), office_address(setting)),
            (label("phone"), people.phone()),
        ]
        pairs.append((label("hours"), f"{rng.randint(7, 9)}-12, 14-{rng.randint(16, 19)}"))
        return lay(
            [*pairs, (label("email"), f"{rng.choice(('praxis', 'info', 'office'))}@{people.firm()[1]}")]
            if mails
            else pairs
        )

    return lambda index, wanted: [people.town().name, *setting.fill(wanted - 1, entry)]


def press_releases(setting: Setting) -> PageMaker:
    """A ministry's press releases with press contacts and the officials they quote."""
    rng, people, label = setting.rng, setting.people, setting.label
    contacts = [(name, email, people.phone()) for name, email in setting.staff(12)]

    def page(index: int, wanted: int) -> list[str]:
        name, email, phone = zipf(rng, contacts)
        head = f"{people.town().name}, {people.written_date(people.day(2004, 2023))}"
        return [
            setting.title(most=12),
            head,
            *setting.prose(wanted - 30),
            f"{label('press')}: {name}, {label('phone')} {phone}, {email}",
        ]

    return page


def job_adverts(setting: Setting) -> PageMaker:
    """Vacancies of many firms, each with a recruiter's name, telephone number and address at the firm's domain."""
    rng, people, label = setting.rng, setting.people, setting.label

    def advert() -> str:
        firm, domain = people.firm()
        name = people.name()
        reach = [
            name,
            people.work_email(name, domain) if rng.random() < 0.6 else f"jobs@{domain}",
            *([people.phone()] if rng.random() < 0.5 else []),
        ]
        head = f"{setting.some('jobs')} - {firm}, {people.town().name}"
        return "\n".join(
            (
                head,
                f"{label('salary')}: {rng.randint(20, 90)} 000",
                *setting.prose(rng.randint(40, 160)),
                f"{label('apply')}: {', '.join(reach)}",
            )
        )

    return lambda index, wanted: [setting.some("jobs"), *setting.fill(wanted, advert)]
