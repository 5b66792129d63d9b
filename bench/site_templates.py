"""Labelled planted web sites: the truth that the rule for sites heavy in personal information is chosen and shown on.

    for site in draw(seed): ...

Out: sites with their pages, each site with the truth whether it is heavy in personal information of private persons.
`make_site` is a pure function of its arguments (and of the development corpora beside the project, which give the running
text); pages come in the order of their numbers. The rule is chosen on the templates of batches 1 to 4 and shown on those of
batch 5: another hand wrote them that had not seen the rule, and those who fit it have not read them. Diluted sites
have running text between the records of each page (a third to nine tenths of the words), or pages of nothing else (20 to
60 % of the pages).
"""

from __future__ import annotations

import hashlib
import math
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from bench import site_fifth_heavy as fifth_heavy
from bench import site_fifth_more as fifth_more
from bench import site_fifth_texts as fifth_texts
from bench import site_fifth_work as fifth_work
from bench import site_fourth_heavy as fourth_heavy
from bench import site_fourth_lists as fourth_lists
from bench import site_fourth_results as fourth_results
from bench import site_fourth_texts as fourth_texts
from bench import site_fourth_work as fourth_work
from bench import site_heavy as heavy
from bench import site_more_heavy as more_heavy
from bench import site_more_work as more_work
from bench import site_texts as texts
from bench import site_third_heavy as third_heavy
from bench import site_third_lists as third_lists
from bench import site_third_results as third_results
from bench import site_third_texts as third_texts
from bench import site_third_work as third_work
from bench import site_work as work
from bench.personal_values import LOCALES
from bench.site_filler import Setting, furniture, site_name
from bench.site_heavy import PageMaker
from bench.site_people import ascii_slug

Half = Literal["development", "held out"]
HELD_OUT_BATCH = 5
# Private part of the public suffix list: whoever registers here gets a host of their own.
HOSTERS = ("blogspot.com", "github.io", "netlify.app", "pages.dev", "web.app", "vercel.app")
# Blogs of one hoster in a draw: one heavy, the others ordinary.
BLOGS = 21
HEAVY_BLOG, ORDINARY_BLOG = "hoster, heavy blog", "hoster, ordinary blog"


@dataclass(frozen=True)
class Page:
    """One page."""

    url: str
    text: str


@dataclass(frozen=True)
class Site:
    """One site: `name` is its registered domain, or its host at a hoster; `heavy` is the truth."""

    name: str
    template: str
    heavy: bool
    locale: str
    diluted: bool
    pages: list[Page]


@dataclass(frozen=True)
class Template:
    """A kind of site."""

    heavy: bool
    make: Callable[[Setting], PageMaker]
    # Templates that were written together; see `half`.
    batch: int = 1


TEMPLATES: dict[str, Template] = {
    "people finder": Template(True, heavy.people_finder),
    "reverse phone": Template(True, heavy.reverse_phone),
    "leak dump": Template(True, heavy.leak_dump),
    "cv bank": Template(True, heavy.cv_bank),
    "genealogy": Template(True, heavy.genealogy),
    "arrest records": Template(True, heavy.arrest_records),
    "property owners": Template(True, heavy.property_owners),
    "names only": Template(True, heavy.names_only),
    "club members": Template(True, heavy.club_members),
    "court records": Template(True, heavy.court_records),
    "personal ads": Template(True, heavy.personal_ads),
    "guest book": Template(True, heavy.guest_book),
    "doxxing forum": Template(True, heavy.doxxing_forum),
    "debtors list": Template(True, heavy.debtors_list),
    "old classmates": Template(True, heavy.old_classmates),
    HEAVY_BLOG: Template(True, heavy.neighbours_blog),
    "newspaper": Template(False, work.newspaper),
    "shop": Template(False, work.shop),
    "law firm": Template(False, work.law_firm),
    "faculty": Template(False, work.faculty),
    "public offices": Template(False, work.public_offices),
    "business directory": Template(False, work.business_directory),
    "restaurant guide": Template(False, work.restaurant_guide),
    "events": Template(False, work.events),
    "recipes": Template(False, texts.recipes),
    "change log": Template(False, texts.change_log),
    "network manual": Template(False, texts.network_manual),
    "statutes": Template(False, texts.statutes),
    "mailing list": Template(False, texts.mailing_list),
    "encyclopedia": Template(False, texts.encyclopedia),
    "filmographies": Template(False, texts.filmographies),
    "sports results": Template(False, texts.sports_results),
    "bibliography": Template(False, texts.bibliography),
    "forum": Template(False, texts.forum),
    ORDINARY_BLOG: Template(False, texts.ordinary_blog),
    "estate agency": Template(False, work.estate_agency),
    "school news": Template(False, work.school_news),
    "company registry": Template(False, work.company_registry),
    "travel guide": Template(False, work.travel_guide),
    "medical directory": Template(False, work.medical_directory),
    "press releases": Template(False, work.press_releases),
    "job adverts": Template(False, work.job_adverts),
    "software documentation": Template(False, texts.software_documentation),
    "novel": Template(False, texts.novel),
    "white pages": Template(True, more_heavy.white_pages, batch=2),
    "voter roll": Template(True, more_heavy.voter_roll, batch=2),
    "e-mail list": Template(True, more_heavy.email_list, batch=2),
    "alumni directory": Template(True, more_heavy.alumni_directory, batch=2),
    "offender registry": Template(True, more_heavy.offender_registry, batch=2),
    "patients list": Template(True, more_heavy.patients_list, batch=2),
    "wedding registry": Template(True, more_heavy.wedding_registry, batch=2),
    "lost relatives": Template(True, more_heavy.lost_relatives, batch=2),
    "keepers of cars and dogs": Template(True, more_heavy.keepers, batch=2),
    "bad tenants": Template(True, more_heavy.bad_tenants, batch=2),
    "exam results": Template(True, more_heavy.exam_results, batch=2),
    "donors": Template(True, more_heavy.donors, batch=2),
    "scam victims": Template(True, more_heavy.scam_victims, batch=2),
    "family history forum": Template(True, more_heavy.family_history_forum, batch=2),
    "parliament": Template(False, more_work.parliament, batch=2),
    "bar association": Template(False, more_work.bar_association, batch=2),
    "sports club": Template(False, more_work.sports_club, batch=2),
    "theatre": Template(False, more_work.theatre, batch=2),
    "museum guide": Template(False, more_work.museum_guide, batch=2),
    "theses": Template(False, more_work.theses, batch=2),
    "obituaries": Template(False, more_work.obituaries, batch=2),
    "court decisions": Template(False, more_work.court_decisions, batch=2),
    "holiday homes": Template(False, more_work.holiday_homes, batch=2),
    "product support": Template(False, more_work.product_support, batch=2),
    "patents": Template(False, more_work.patents, batch=2),
    "parts catalogue": Template(False, more_work.parts_catalogue, batch=2),
    "background check": Template(True, third_heavy.background_check, batch=3),
    "who called": Template(True, third_heavy.who_called, batch=3),
    "combo list": Template(True, third_heavy.combo_list, batch=3),
    "SQL dump": Template(True, third_heavy.sql_dump, batch=3),
    "customer export": Template(True, third_heavy.customer_export, batch=3),
    "job seekers": Template(True, third_heavy.job_seekers, batch=3),
    "family sheets": Template(True, third_heavy.family_sheets, batch=3),
    "mugshots": Template(True, third_heavy.mugshots, batch=3),
    "tax roll": Template(True, third_heavy.tax_roll, batch=3),
    "bare names": Template(True, third_heavy.bare_names, batch=3),
    "passenger manifests": Template(True, third_heavy.passenger_manifests, batch=3),
    "class lists": Template(True, third_heavy.class_lists, batch=3),
    "membership roll": Template(True, third_heavy.membership_roll, batch=3),
    "evictions": Template(True, third_heavy.evictions, batch=3),
    "households": Template(True, third_lists.households, batch=3),
    "mailing labels": Template(True, third_lists.mailing_labels, batch=3),
    "private mail": Template(True, third_lists.private_mail, batch=3),
    "birthdays": Template(True, third_lists.birthdays, batch=3),
    "lonely hearts": Template(True, third_lists.lonely_hearts, batch=3),
    "petition": Template(True, third_lists.petition, batch=3),
    "illness posts": Template(True, third_lists.illness_posts, batch=3),
    "probate notices": Template(True, third_lists.probate_notices, batch=3),
    "missing heirs": Template(True, third_lists.missing_heirs, batch=3),
    "visa list": Template(True, third_lists.visa_list, batch=3),
    "regional paper": Template(False, third_work.regional_paper, batch=3),
    "web store": Template(False, third_work.web_store, batch=3),
    "solicitors": Template(False, third_work.solicitors, batch=3),
    "research institute": Template(False, third_work.research_institute, batch=3),
    "town hall": Template(False, third_work.town_hall, batch=3),
    "tradesmen": Template(False, third_work.tradesmen, batch=3),
    "therapists": Template(False, third_work.therapists, batch=3),
    "realtors": Template(False, third_work.realtors, batch=3),
    "dealer adverts": Template(False, third_work.dealer_adverts, batch=3),
    "councillors": Template(False, third_work.councillors, batch=3),
    "annual report": Template(False, third_work.annual_report, batch=3),
    "hotels": Template(False, third_work.hotels, batch=3),
    "price list": Template(False, third_work.price_list, batch=3),
    "conference": Template(False, third_work.conference, batch=3),
    "concerts": Template(False, third_work.concerts, batch=3),
    "what is on": Template(False, third_work.what_is_on, batch=3),
    "cookery": Template(False, third_texts.cookery, batch=3),
    "release notes": Template(False, third_texts.release_notes, batch=3),
    "switch manual": Template(False, third_texts.switch_manual, batch=3),
    "ordinances": Template(False, third_texts.ordinances, batch=3),
    "patch archive": Template(False, third_texts.patch_archive, batch=3),
    "known lives": Template(False, third_texts.known_lives, batch=3),
    "hall of fame": Template(False, third_texts.hall_of_fame, batch=3),
    "episode guide": Template(False, third_results.episode_guide, batch=3),
    "match reports": Template(False, third_results.match_reports, batch=3),
    "reference lists": Template(False, third_results.reference_lists, batch=3),
    "hobby forum": Template(False, third_texts.hobby_forum, batch=3),
    "chess ratings": Template(False, third_results.chess_ratings, batch=3),
    "race results": Template(False, third_results.race_results, batch=3),
    "book catalogue": Template(False, third_results.book_catalogue, batch=3),
    "interface manual": Template(False, third_texts.interface_manual, batch=3),
    "royal houses": Template(False, third_texts.royal_houses, batch=3),
    "user talk": Template(False, third_texts.user_talk, batch=3),
    "server logs": Template(False, third_texts.server_logs, batch=3),
    "timetable": Template(False, third_results.timetable, batch=3),
    "spare parts": Template(False, third_results.spare_parts, batch=3),
    "person search": Template(True, fourth_heavy.person_search, batch=4),
    "number lookup": Template(True, fourth_heavy.number_lookup, batch=4),
    "breach paste": Template(True, fourth_heavy.breach_paste, batch=4),
    "resume database": Template(True, fourth_heavy.resume_database, batch=4),
    "family trees": Template(True, fourth_heavy.family_trees, batch=4),
    "jail roster": Template(True, fourth_heavy.jail_roster, batch=4),
    "land register": Template(True, fourth_heavy.land_register, batch=4),
    "roll of names": Template(True, fourth_heavy.roll_of_names, batch=4),
    "society members": Template(True, fourth_lists.society_members, batch=4),
    "civil dockets": Template(True, fourth_lists.civil_dockets, batch=4),
    "babysitters": Template(True, fourth_lists.babysitters, batch=4),
    "radio callbook": Template(True, fourth_lists.radio_callbook, batch=4),
    "naturalised citizens": Template(True, fourth_lists.naturalised_citizens, batch=4),
    "parents' phone lists": Template(True, fourth_lists.parents_phone_lists, batch=4),
    "daily news": Template(False, fourth_work.daily_news, batch=4),
    "outlet store": Template(False, fourth_work.outlet_store, batch=4),
    "attorneys": Template(False, fourth_work.attorneys, batch=4),
    "university department": Template(False, fourth_work.university_department, batch=4),
    "county services": Template(False, fourth_work.county_services, batch=4),
    "yellow pages": Template(False, fourth_work.yellow_pages, batch=4),
    "listings calendar": Template(False, fourth_work.listings_calendar, batch=4),
    "baking diary": Template(False, fourth_texts.baking_diary, batch=4),
    "package history": Template(False, fourth_texts.package_history, batch=4),
    "firewall handbook": Template(False, fourth_texts.firewall_handbook, batch=4),
    "official gazette": Template(False, fourth_texts.official_gazette, batch=4),
    "list archive": Template(False, fourth_texts.list_archive, batch=4),
    "biographical dictionary": Template(False, fourth_texts.biographical_dictionary, batch=4),
    "film credits": Template(False, fourth_results.film_credits, batch=4),
    "league tables": Template(False, fourth_results.league_tables, batch=4),
    "publication lists": Template(False, fourth_results.publication_lists, batch=4),
    "motor forum": Template(False, fourth_texts.motor_forum, batch=4),
    "garden blog": Template(False, fourth_texts.garden_blog, batch=4),
    "auction lots": Template(False, fourth_work.auction_lots, batch=4),
    "clinical trials": Template(False, fourth_work.clinical_trials, batch=4),
    "branch finder": Template(False, fourth_work.branch_finder, batch=4),
    "guest reviews": Template(False, fourth_work.guest_reviews, batch=4),
    "other person search": Template(True, fifth_heavy.person_search, batch=5),
    "caller lookup": Template(True, fifth_heavy.caller_lookup, batch=5),
    "other breach paste": Template(True, fifth_heavy.breach_paste, batch=5),
    "other job seekers": Template(True, fifth_heavy.job_seekers, batch=5),
    "family tree": Template(True, fifth_heavy.family_tree, batch=5),
    "other mugshots": Template(True, fifth_heavy.mugshots, batch=5),
    "land roll": Template(True, fifth_heavy.land_roll, batch=5),
    "admission lists": Template(True, fifth_heavy.admission_lists, batch=5),
    "member roster": Template(True, fifth_more.member_roster, batch=5),
    "court docket": Template(True, fifth_more.court_docket, batch=5),
    "petition signers": Template(True, fifth_more.petition_signers, batch=5),
    "childminders": Template(True, fifth_more.childminders, batch=5),
    "other radio callbook": Template(True, fifth_more.radio_callbook, batch=5),
    "unclaimed money": Template(True, fifth_more.unclaimed_money, batch=5),
    "registry notices": Template(True, fifth_more.registry_notices, batch=5),
    "pen friends": Template(True, fifth_more.pen_friends, batch=5),
    "local paper": Template(False, fifth_work.local_paper, batch=5),
    "other web store": Template(False, fifth_work.web_store, batch=5),
    "other solicitors": Template(False, fifth_work.solicitors, batch=5),
    "other university department": Template(False, fifth_work.university_department, batch=5),
    "city services": Template(False, fifth_work.city_services, batch=5),
    "trade directory": Template(False, fifth_work.trade_directory, batch=5),
    "public tenders": Template(False, fifth_work.public_tenders, batch=5),
    "parish": Template(False, fifth_work.parish, batch=5),
    "conference programme": Template(False, fifth_work.conference_programme, batch=5),
    "concert calendar": Template(False, fifth_work.concert_calendar, batch=5),
    "unknown callers": Template(False, fifth_work.unknown_callers, batch=5),
    "other cookery": Template(False, fifth_texts.cookery, batch=5),
    "other release notes": Template(False, fifth_texts.release_notes, batch=5),
    "router handbook": Template(False, fifth_texts.router_handbook, batch=5),
    "law gazette": Template(False, fifth_texts.law_gazette, batch=5),
    "other list archive": Template(False, fifth_texts.list_archive, batch=5),
    "lexicon of lives": Template(False, fifth_texts.lexicon_of_lives, batch=5),
    "screen credits": Template(False, fifth_texts.screen_credits, batch=5),
    "other race results": Template(False, fifth_texts.race_results, batch=5),
    "reading lists": Template(False, fifth_texts.reading_lists, batch=5),
    "discussion board": Template(False, fifth_texts.discussion_board, batch=5),
    "diary blog": Template(False, fifth_texts.diary_blog, batch=5),
    "sample data manual": Template(False, fifth_texts.sample_data_manual, batch=5),
    "collected letters": Template(False, fifth_texts.collected_letters, batch=5),
}


def half(template: str) -> Half:
    """What a template is for: batches 1 to 4 to choose the rule, 5 to show it.

    Another hand wrote batch 5 that had not seen the rule, and those who fit it have not read it. Raises KeyError for
    templates that there are not.
    """
    return "held out" if TEMPLATES[template].batch == HELD_OUT_BATCH else "development"


def _random(*parts: object) -> random.Random:
    return random.Random(hashlib.sha256(repr(parts).encode()).digest())


def _host(rng: random.Random, template: str, seed: int, setting: Setting) -> str:
    """The site's name. Blogs whose seeds agree but for the last two digits share their hoster."""
    if template not in (HEAVY_BLOG, ORDINARY_BLOG):
        return site_name(rng, setting.locale, setting.people)
    unique = hashlib.sha256(repr((template, seed, setting.locale)).encode()).hexdigest()[:6]
    return f"{ascii_slug(rng.choice(setting.people.pools.streets))[:12]}{unique}.{HOSTERS[seed // 100 % len(HOSTERS)]}"


def _interleave(rng: random.Random, blocks: list[str], filler: list[str]) -> list[str]:
    """Blocks and filler in their orders, at random one after the other; the title stays first."""
    places = [True] * (len(blocks) - 1) + [False] * len(filler)
    rng.shuffle(places)
    left, right = iter(blocks[1:]), iter(filler)
    return [blocks[0], *(next(left) if place else next(right) for place in places)]


def make_site(template: str, *, seed: int, locale: str, pages: int, words: int, diluted: bool) -> Site:
    """One site of `pages` pages of about `words` words each.

    Pages vary around `words` by a factor of up to two; a page has at least one record, so short pages may be longer than
    asked. Raises KeyError for templates and locales that there are not.
    """
    rng = _random(template, seed, locale, pages, words, diluted)
    setting = Setting(rng, locale, "", pages=pages)
    name = _host(rng, template, seed, setting)
    setting.domain = name
    header, footer = furniture(setting)
    make = TEMPLATES[template].make(setting)
    within = diluted and rng.random() < 0.5
    filler_share = rng.uniform(1 / 3, 0.9) if within else 0.0
    filler_pages = (
        set(rng.sample(range(pages), int(pages * rng.uniform(0.2, 0.6)))) if diluted and not within else set()
    )
    address, gap = _addresses(rng, name), rng.choice(("\n", "\n\n", "\n"))
    made = []
    for index in range(pages):
        wanted = max(5, int(words * 2 ** rng.uniform(-1, 1) * 0.96))
        if index in filler_pages:
            blocks = [setting.title(), *setting.prose(wanted)]
        else:
            blocks = [block for block in make(index, int(wanted * (1 - filler_share))) if block]
            if within:
                size = sum(len(block.split()) for block in blocks)
                blocks = _interleave(rng, blocks, setting.prose(int(size * filler_share / (1 - filler_share))))
        made.append(Page(address(index, blocks[0]), gap.join((*header, *blocks, *footer))))
    return Site(name, template, TEMPLATES[template].heavy, locale, diluted, made)


def _addresses(rng: random.Random, name: str) -> Callable[[int, str], str]:
    """How the site forms the addresses of its pages, from number and title."""
    host = f"https://{rng.choice(('', 'www.')) if name.count('.') == 1 else ''}{name}"
    folder = rng.choice(("page", "view", "item", "p", "content", "node"))
    form = rng.randrange(4)

    def address(index: int, title: str) -> str:
        slug = "-".join(filter(None, map(ascii_slug, title.split()[:5])))[:60] or "page"
        return (
            host
            + (
                f"/{folder}/{index}",
                f"/{slug}-{index}.html",
                f"/{folder}.php?id={index}",
                f"/{index // 50}/{slug}-{index}",
            )[form]
        )

    return address


def draw(seed: int, *, most_pages: int = 3000, only: Half | None = None) -> Iterator[Site]:
    """One site of every template, or of those of one half, heavy ones also diluted, and 20 ordinary blogs beside the heavy one of the hoster.

    Locales are drawn evenly; pages log-uniformly from 3 to `most_pages`, words per page from 30 to 3,000.
    """
    for template, kind in TEMPLATES.items():
        if only is not None and half(template) != only:
            continue
        for diluted in (False, True) if kind.heavy else (False,):
            for blog in range(BLOGS - 1 if template == ORDINARY_BLOG else 1):
                rng = _random("draw", seed, template, diluted, blog)
                yield make_site(
                    template,
                    seed=seed * 100 + blog,
                    locale=rng.choice(LOCALES),
                    pages=round(math.exp(rng.uniform(math.log(3), math.log(most_pages)))),
                    words=round(math.exp(rng.uniform(math.log(30), math.log(3000)))),
                    diluted=diluted,
                )
