"""Fifth batch of planted sites of texts, lists and posts, which look heavy in personal information and are not.

As `bench/site_heavy.py`: from a `Setting` to what makes the site's pages. Persons stand here in public (authors, players,
posters of public archives), or are invented, or long dead.
"""

from __future__ import annotations

from bench.site_fifth_heavy import cards, records
from bench.site_filler import Setting, zipf
from bench.site_heavy import PageMaker
from bench.site_people import ascii_slug

# What manuals call persons that there are not.
NOBODIES = (
    "John Doe",
    "Jane Doe",
    "Max Mustermann",
    "Erika Mustermann",
    "Jean Dupont",
    "Juan Pérez",
    "Mario Rossi",
    "Jan Kowalski",
)


def _nick(setting: Setting) -> str:
    """A poster's nickname."""
    rng, pools = setting.rng, setting.people.pools
    word = ascii_slug(rng.choice(pools.streets if rng.random() < 0.6 else pools.given))[:10]
    return f"{rng.choice(('', '', 'the_', 'mr'))}{word}{rng.choice(('', str(rng.randint(1, 2005))))}"


def cookery(setting: Setting) -> PageMaker:
    """Recipes: quantities, steps, who sent them in, remarks by first name."""
    rng, people, label = setting.rng, setting.people, setting.label
    cooks = [people.name() if rng.random() < 0.5 else rng.choice(people.pools.given) for _ in range(rng.randint(1, 50))]
    units, numbered = rng.choice((("g", "ml", "kg"), ("cups", "tbsp", "oz"), ("g", "dl", "x"))), rng.random() < 0.5

    def page(index: int, wanted: int) -> list[str]:
        things = [
            f"{rng.randint(1, 40) * 5} {rng.choice(units)} {setting.title(most=3)}"
            for _ in range(min(rng.randint(5, 14), 2 + wanted // 12))
        ]
        steps = setting.prose(max(20, wanted - 6 * len(things) - 15))
        said = [
            f"{rng.choice(people.pools.given)}: {setting.title()}" for _ in range(rng.randint(0, min(3, wanted // 60)))
        ]
        return [
            setting.title(most=5),
            f"{label('by')} {zipf(rng, cooks)} | {label('serves')}: {rng.randint(1, 12)}",
            label("ingredients"),
            *things,
            label("method"),
            *([f"{at}. {step}" for at, step in enumerate(steps, 1)] if numbered else steps),
            *said,
        ]

    return page


def release_notes(setting: Setting) -> PageMaker:
    """Changes by release, with numbers of issues and those who made them, by nickname, name or address."""
    rng, people = setting.rng, setting.people
    makers = [people.name() for _ in range(max(2, min(60, setting.pages // 2)))]
    mails = {
        name: people.private_email(name) if rng.random() < 0.5 else people.work_email(name, people.firm()[1])
        for name in makers
    }
    form, tags = rng.randrange(4), ("Added", "Fixed", "Changed", "Removed", "Security")

    def change() -> str:
        name, what, number = zipf(rng, makers), setting.title(most=11), rng.randint(10, 20_000)
        if form == 0:
            return f"- {what} (#{number}, @{ascii_slug(name)[:12]})"
        if form == 1:
            return f"[{rng.choice(tags)}] {what} [{name}]"
        if form == 2:
            return f"* {people.day(2003, 2023):%a %b %d %Y} {name} <{mails[name]}> - {rng.randint(0, 9)}.{rng.randint(0, 30)}-{rng.randint(1, 9)}\n- {what}"
        return f"{rng.getrandbits(28):07x} {what} (GH-{number}) Signed-off-by: {name} <{mails[name]}>"

    def page(index: int, wanted: int) -> list[str]:
        head = f"{rng.randint(0, 12)}.{index}.{rng.randint(0, 9)} ({people.day(2003, 2023).isoformat()})"
        text = setting.prose(rng.randint(0, wanted // 4))
        return [head, *text, *setting.fill(wanted - sum(len(block.split()) for block in text), change)]

    return page


def router_handbook(setting: Setting) -> PageMaker:
    """How devices are set up: addresses of networks, ports, names of machines, output of commands."""
    rng, label = setting.rng, setting.label
    nets = ("10.{}.{}.{}", "172.16.{}.{}", "192.168.{}.{}", "198.51.100.{}", "8.8.{}.{}")

    def address() -> str:
        return rng.choice(nets).format(*(rng.randint(1, 254) for _ in range(3)))

    def step() -> str:
        mac = ":".join(f"{rng.randrange(256):02x}" for _ in range(6))
        shown = (
            f"interface eth{rng.randrange(8)}\n  ip address {address()} 255.255.255.{rng.choice((0, 128, 240))}",
            f"{address()} dev br{rng.randrange(4)} lladdr {mac} REACHABLE",
            f"host pc{rng.randrange(200)} {{ hardware ethernet {mac}; fixed-address {address()}; }}",
            f"iptables -A INPUT -s {address()}/24 -p tcp --dport {rng.randint(20, 9000)} -j ACCEPT",
            f"Jan {rng.randint(1, 28)} 03:1{rng.randrange(10)}:07 gw sshd[{rng.randint(300, 32000)}]: Failed password for root from {address()}",
            f"admin@example.net {label('password')}: changeme",
        )
        return "\n".join((*setting.prose(rng.randint(8, 60)), *rng.sample(shown, rng.randint(1, 3))))

    return lambda index, wanted: [
        f"{label('chapter')} {index + 1}: {setting.title(most=5)}",
        *setting.fill(wanted - 6, step),
    ]


def law_gazette(setting: Setting) -> PageMaker:
    """Acts with numbers, days and sections; ministers sign."""
    rng, people, label = setting.rng, setting.people, setting.label
    ministers, sign = [people.name() for _ in range(30)], rng.choice(("§", "Art.", "Section", ""))

    def page(index: int, wanted: int) -> list[str]:
        at = [0]

        def section() -> str:
            at[0] += 1
            cited = f" ({rng.randint(1, 99)}/{rng.randint(1950, 2023)}, {people.numeric_date(people.day(1950, 2023))})"
            mark = f"{sign or label('section')} {at[0]}"
            return f"{mark} {' '.join(setting.prose(rng.randint(20, 70)))}{cited if rng.random() < 0.5 else ''}"

        day = people.day(1950, 2023)
        head = f"{label('in force')} {people.written_date(day)}, {rng.randint(1, 2000)}/{day.year}"
        close = [
            f"{people.town().name}, {people.written_date(day)}",
            ", ".join(rng.sample(ministers, rng.randint(1, 3))),
        ]
        return [
            f"{rng.randint(1, 400)}/{day.year} {setting.title()}",
            head,
            *setting.fill(wanted - 16, section),
            *close,
        ]

    return page


def list_archive(setting: Setting) -> PageMaker:
    """Messages to a public list: indexes of a month by subject and poster, threads with quotations and signatures."""
    rng, people, label = setting.rng, setting.people, setting.label
    posters = []
    for _ in range(max(5, min(300, setting.pages // 3))):
        name = people.name()
        mail = people.private_email(name) if rng.random() < 0.6 else people.work_email(name, people.firm()[1])
        close = rng.choice((name.split()[0], f"-- \n{name}\n{people.firm()[0]}", f"{name}, {people.phone()}", ""))
        posters.append((name, mail, close))
    hide = rng.choice((" at ", "@", "@...", " (at) ", "@"))
    verb = label("said")

    def message() -> str:
        name, mail, close = zipf(rng, posters)
        day = people.day(1997, 2021)
        head = f"{name} {mail.split('@')[0]}{hide}{mail.split('@')[1] if hide != '@...' else ''}\n{day:%a %b} {day.day} {rng.randint(0, 23):02}:{rng.randint(0, 59):02}:11 {day.year}"
        before = f"{zipf(rng, posters)[0]} {verb}:\n> {setting.title(most=12)}" if rng.random() < 0.5 else ""
        return "\n".join(filter(None, (head, before, *setting.prose(rng.randint(25, 130)), close)))

    def page(index: int, wanted: int) -> list[str]:
        if index % 12 == 0:
            return [
                f"{people.months[index % 12]} {1997 + index % 24}",
                *setting.fill(
                    wanted - 3, lambda: f"[{setting.domain.split('-')[0]}] {setting.title()} {zipf(rng, posters)[0]}"
                ),
            ]
        return [f"Re: {setting.title()}", *setting.fill(wanted - 6, message)]

    return page


def lexicon_of_lives(setting: Setting) -> PageMaker:
    """Known persons with days and places of birth and death, works and what they did; lists of those born on a day."""
    rng, people, label = setting.rng, setting.people, setting.label
    box, lists, lay = rng.random() < 0.5, rng.random() < 0.4, cards(setting)

    def dates() -> tuple[str, str, int]:
        birth = people.day(1780, 1985)
        end = people.written_date(people.day(birth.year + 40, birth.year + 90)) if birth.year < 1930 else ""
        return people.written_date(birth), end, birth.year

    def short() -> str:
        _, died, year = dates()
        return f"{year}: {people.name()}, {setting.some('figures')}{f' († {died})' if died else ''}"

    def life() -> list[str]:
        name, (born, died, year) = people.name(), dates()
        pairs = [(label("name"), name), (label("birth"), f"{born}, {people.town().name}")]
        pairs += [(label("deceased"), f"{died}, {people.town().name}")] if died else []
        works = [f"{setting.title(most=5)} ({year + rng.randint(22, 60)})" for _ in range(rng.randint(1, 6))]
        first = (
            lay(pairs) if box else f"{name} ({', '.join(value for _, value in pairs[1:])}), {setting.some('figures')}."
        )
        return [name, first, *setting.prose(rng.randint(30, 200)), label("fifth works"), *works]

    def page(index: int, wanted: int) -> list[str]:
        if lists and index % 6 == 0:
            return [people.written_date(people.day(2000, 2000)), *setting.fill(wanted - 3, short)]
        out = life()
        while (size := sum(len(block.split()) for block in out)) < wanted - 40:
            out += life() if rng.random() < 0.5 else setting.prose(wanted - size)
        return out

    return page


def screen_credits(setting: Setting) -> PageMaker:
    """Films with crew and cast by role, or actors with their films and days of birth."""
    rng, people, label = setting.rng, setting.people, setting.label
    actors = [people.name() for _ in range(max(10, min(900, setting.pages * 2)))]
    joint, by_actor = rng.choice((" ... ", f" {label('role')} ", " – ", "\t")), rng.random() < 0.5

    def line() -> str:
        if by_actor:
            return f"{rng.randint(1950, 2023)}{joint}{setting.title(most=5)}"
        return f"{zipf(rng, actors)}{joint}{people.name() if rng.random() < 0.4 else rng.choice(people.pools.given)}"

    def page(index: int, wanted: int) -> list[str]:
        if by_actor:
            born = f"{label('birth')}: {people.written_date(people.day(1920, 1998))}, {people.town().name}"
            text = setting.prose(wanted // 3)
            return [actors[index % len(actors)], born, *text, *setting.fill(wanted - wanted // 3 - 8, line)]
        head = f"{setting.title(most=5)} ({rng.randint(1950, 2023)})"
        crew = f"{label('directed')}: {zipf(rng, actors)}"
        return [head, crew, *setting.prose(wanted // 3), label("cast"), *setting.fill(wanted - wanted // 3 - 10, line)]

    return page


def race_results(setting: Setting) -> PageMaker:
    """Results of races and leagues: places, names, clubs, classes, times."""
    rng, people, label = setting.rng, setting.people, setting.label
    clubs = [f"{rng.choice(('SC', 'TV', 'AC', 'US', 'KS', 'RC', 'LG'))} {people.town().name}" for _ in range(40)]
    keys = ["rank", "name", *rng.sample(["club", "class", "time", "year"], rng.randint(2, 4))]
    heading, put = records(setting, keys)

    def page(index: int, wanted: int) -> list[str]:
        at, seconds = [0], [rng.randint(1700, 9000)]

        def row() -> str:
            at[0] += 1
            seconds[0] += rng.randint(0, 25)
            hours, rest = divmod(seconds[0], 3600)
            known = {
                "rank": str(at[0]),
                "name": people.listed_name(),
                "club": rng.choice(clubs),
                "class": f"{rng.choice('MWFHD')}{rng.choice((20, 30, 35, 40, 45, 50, 60))}",
                "time": f"{hours}:{rest // 60:02}:{rest % 60:02}",
                "year": str(rng.randint(1955, 2004)),
            }
            return put([known[key] for key in keys])

        title = f"{label('distance')} {rng.choice((5, 10, 21, 42))} km {people.town().name}, {people.numeric_date(people.day(2005, 2023))}"
        text = setting.prose(wanted // 3) if rng.random() < 0.3 else []
        return [title, *text, *heading, *setting.fill(wanted - 12 - sum(len(block.split()) for block in text), row)]

    return page


def reading_lists(setting: Setting) -> PageMaker:
    """Literature by author: names, years, titles, publishers, numbers of books."""
    rng, people = setting.rng, setting.people
    form, notes = rng.randrange(4), rng.random() < 0.3

    def entry() -> str:
        names = [people.name() for _ in range(rng.randint(1, 3))]
        last, first = names[0].split()[-1], names[0].split()[0]
        year, title, place = rng.randint(1920, 2023), setting.title(most=11), people.town().name
        isbn = f"978-{rng.randint(0, 9)}-{rng.randint(100, 9999)}-{rng.randint(1000, 9999)}-{rng.randint(0, 9)}"
        text = (
            f"{last}, {first[0]}. ({year}). {title}. {place}: {people.firm()[0]}.",
            f"{last.upper()}, {first}: {title}. {place} {year}. ISBN {isbn}",
            f"{', '.join(names)}, “{title}”, vol. {rng.randint(1, 60)}, no. {rng.randint(1, 12)}, pp. {rng.randint(1, 400)}-{rng.randint(401, 900)}, {year}. doi:10.{rng.randint(1000, 9999)}/{rng.getrandbits(32)}",
            f"[{rng.randint(1, 400)}] {' & '.join(names)}: {title}, {year}",
        )[form]
        return "\n".join((text, *setting.prose(rng.randint(10, 40)))) if notes else text

    return lambda index, wanted: [setting.title(most=5), *setting.fill(wanted - 4, entry)]


def discussion_board(setting: Setting) -> PageMaker:
    """Threads of posters by nickname with counts of posts, towns and signatures of a line; some firms sign with a number."""
    rng, people, label = setting.rng, setting.people, setting.label
    users = []
    for _ in range(max(6, min(400, setting.pages))):
        told = f"{label('posts')}: {rng.randint(1, 20_000)}, {people.town().name}"
        line = rng.choice(
            (
                setting.title(),
                f"{rng.choice(people.pools.given)}",
                f"{people.firm()[0]} {people.phone()}",
                f"www.{people.firm()[1]}",
            )
        )
        users.append((_nick(setting), told if rng.random() < 0.6 else "", line if rng.random() < 0.4 else ""))
    rule = rng.choice(("____", "---", "--", ""))

    def post() -> str:
        nick, told, line = zipf(rng, users)
        day = f"{people.numeric_date(people.day(2003, 2022))}, {rng.randint(0, 23)}:{rng.randint(0, 59):02}"
        quoted = f"{zipf(rng, users)[0]} {label('said')}: {setting.title(most=12)}" if rng.random() < 0.3 else ""
        signature = f"{rule}\n{line}".strip() if line else ""
        return "\n".join(filter(None, (nick, told, day, quoted, *setting.prose(rng.randint(8, 90)), signature)))

    return lambda index, wanted: [setting.title(), *setting.fill(wanted - 6, post)]


def diary_blog(setting: Setting) -> PageMaker:
    """A person's blog: entries, tags, friends by first name, comments, how to reach the writer."""
    rng, people, label = setting.rng, setting.people, setting.label
    writer, reach = people.name(), rng.random() < 0.4
    mail, friends = people.private_email(writer), rng.sample(people.pools.given, 6)

    def page(index: int, wanted: int) -> list[str]:
        said = [
            f"{rng.choice((people.name(), _nick(setting), rng.choice(friends)))} {label('said')}: {setting.title()}"
            for _ in range(min(rng.randint(0, 5), wanted // 50))
        ]
        with_friend = f"{rng.choice(friends)}, {people.town().name}: {setting.title()}." if rng.random() < 0.5 else ""
        close = f"{label('tagged')}: {setting.title(most=3)}" + (f" | {label('contact')}: {mail}" if reach else "")
        head = f"{label('posted')} {people.written_date(people.day(2005, 2023))}, {writer}"
        return [setting.title(), head, *setting.prose(wanted - 25 - 9 * len(said)), with_friend, *said, close]

    return page


def sample_data_manual(setting: Setting) -> PageMaker:
    """A manual of an interface or a form, whose examples are persons that there are not."""
    rng, label, shape = setting.rng, setting.label, setting.rng.randrange(3)

    def example() -> str:
        name, number = rng.choice(NOBODIES), rng.randint(1, 5000)
        mail = f"{ascii_slug(name.split()[0])}@example.{rng.choice(('com', 'org', 'net'))}"
        phone = f"555-01{rng.randint(0, 99):02}"
        text = (
            f'{{"id": {number}, "name": "{name}", "email": "{mail}", "phone": "{phone}", "city": "Anytown"}}',
            f"curl -d name='{name}' -d email={mail} https://api.example.com/v{rng.randint(1, 3)}/users/{number}",
            f"id;name;email;phone\n{number};{name};{mail};{phone}",
        )[shape]
        field = rng.choice(("name", "email", "phone", "address", "birth_date"))
        return "\n".join(
            (
                f"{label('parameter')} {field} ({label('required')})",
                *setting.prose(rng.randint(10, 50)),
                f"{label('example')}:",
                text,
            )
        )

    return lambda index, wanted: [f"{setting.title(most=4)} {index + 1}", *setting.fill(wanted - 4, example)]


def collected_letters(setting: Setting) -> PageMaker:
    """Letters of a writer long dead: addressees, days and places, remarks on those who are named."""
    rng, people, label = setting.rng, setting.people, setting.label
    writer, start = people.name(), rng.randint(1750, 1870)
    friends = [people.name() for _ in range(rng.randint(5, 60))]

    def letter() -> str:
        friend, day = zipf(rng, friends), people.written_date(people.day(start, start + 40))
        note = f"{rng.randint(1, 900)} {zipf(rng, friends)} ({start - rng.randint(5, 60)}–{start + rng.randint(20, 70)}), {setting.some('figures')}."
        head = f"{label('addressee')} {friend}, {people.street() if rng.random() < 0.1 else people.town().name}"
        return "\n".join(
            (head, f"{people.town().name}, {day}", *setting.prose(rng.randint(40, 220)), writer.split()[0], note)
        )

    return lambda index, wanted: [f"{rng.randint(1, 3)}.{index + 1} {writer}", *setting.fill(wanted - 4, letter)]
