"""Templates that show nothing in running text.

In: a template's name, in lower case. Out: whether it is a note, a mark for editors, a pronunciation, an icon, or a box
and a link that belong to the page and not to a sentence. They leave nothing, and are not counted as lost; boxes that
hold words of their own (infoboxes, navigation boxes) are not meant here.

The names are those met in the wikitext at hand, and others of the same categories of the English Wikipedia: Inline
citation and cleanup templates, Hatnote templates, Citation Style 1, Maintenance templates.
"""

from __future__ import annotations

import re

_NAMES = frozenset(
    tuple(
        "sfn, sfnp, sfnm, sfnmp, sfn0, efn, efn-ua, efn-lr, efn-la, efn-ur, efn-lg, efn-ug, refn, r, rp, "
        "ref, note, note label, ref label, ref supports2, notetag, notelist, notelist-ua, reflist, "
        "references, refs, rma, refbegin, refend, anchor, anchors, wikicite, ran, mn, mnb, citeref, "
        "harvid, sfnref, fn, fnb, footnote, référence, refa, references-small, cn, fact, citation, "
        "clarify, clarification, when, who, whom, which, where, why, how, what, dubious, or, vague, dead "
        "link, deadlink, updated, verify source, verification, vs, quantify, failed verification, "
        "specify, ambiguous, synthesis, jargon, says who, by whom, according to whom, request quotation, "
        "globalize, importance, lopsided, pov, npov, elucidate, contradict, full, nonspecific, opinion, "
        "better source, as of when, until when, pn, cbignore, bare url, unreliable source, sps, medrs, "
        "registration required, subscription required, subscription, open access, closed access, free "
        "access, refnec, sans source, référence nécessaire, cita requerida, senza fonte, citation "
        "requise, citation nécessaire, quelle, belege fehlen, нет аи, источник, carece de fontes, "
        "respell, usdict, h:ipa, audio-ipa, audio-nohelp, pron-en, iipa, lautschrift, api, afi, mfa, "
        "pronunciation, ipalink, ipablink, ipaslink, ipasym, ipaeng, flagdeco, fbicon, gold medal, silver "
        "medal, bronze medal, gold1, silver2, bronze3, steady, nochange, same position, decreasenegative, "
        "increasenegative, decreasepositive, increasepositive, skype, listen, pdf, external media, icon, "
        "ficon, drapeau, bandera, bandiera, main, see, details, about, other people, other places, "
        "distinguish, for, rellink, two other uses, otheruses, otheruses4, dablink, selfref, broader, not "
        "to be confused with, self-reference, short description, engvar, engvarb, italic title, "
        "italictitle, lowercase, lowercase title, nobots, bots, good article, featured article, featured "
        "list, spoken wikipedia, commonscat, wikiquote, wikibooks, wikinews, wikivoyage, wikiversity, "
        "wikispecies, subject bar, authority control, normdaten, autorité, control de autoridades, clear, "
        "clear left, clear right, -, clr, toc, compact toc, tocright, tocleft, persondata, "
        "disambiguation, disambig, hndis, geodis, surname, given name, dmoz, multiple issues, orphan, "
        "stub, expand, wikify, no footnotes, blp sources, in use, wayback, webarchive, lead too short, "
        "confused, featuredartikel, link fa, link ga, homonymie, voir homonymes, article détaillé, voir "
        "aussi, palette, portail, ébauche, hauptartikel, siehe auch, begriffsklärung, dieser artikel, ap, "
        "véase también, vd, vedi anche, nota disambigua, ver artigo principal, ver também, hoofdartikel, "
        "short pages monitor, italics title, colbegin, colend, end div col, nowrap begin, nowrap end, "
        "nowrapend, wide image, sisterlinks, portals, portalpar, wikisourcelang, wikisourcehas, "
        "wikisourcecat, wiktionarypar, wiktionarylang, unreferencedsection, unreferencedsect, "
        "refimprovesect, refimprovesection, cleanupsection, prodwarning, afdx, updatesection, sprotected, "
        "redirects here, disputedsection, flagiconb, commonskategorie, commonskategorie-inlyn, ntsh, hs, "
        "dtsh, sort key, hidden sort key, sortkey".split(", ")
    )
)
# Names continue after these with another word, a number or nothing: `prod blp`, `redirect2`, but not `product`.
_BEGINNINGS = re.compile(
    "(?:"
    + "|".join(
        tuple(
            "cite, citar, cita web, cita libro, ouvrage, lien web, lien brisé, literatur, internetquelle, "
            "harvard citations?, ipac?, use , pp[- ], expand , unreferenced, refimprove, more citations, "
            "more footnotes, cleanup, copy edit, copyedit, wikisource, commons, wiktionary, sister, "
            "portal, db-, rfd, afd, prod, main , see also, further, redirect, about[- ], other uses, "
            "flagicon, too few, too many, primary sources, self-published, disputed, original research, "
            "additional citations?, update, weasel, peacock, defaultsort, displaytitle, sprotect, "
            "noprint, hatnote, col-, div col, toc , r from, r to, redr, redirect category, library "
            "resources".split(", ")
        )
    )
    + r")(?:(?<![a-z])|(?![^\W\d_]))"
)
_ENDINGS = (
    " needed",
    " inline",
    "-inline",
    "-stub",
    " stub",
    " icon",
    "?",
    "-icon",
    " disambiguation",
    " hatnote",
    " missing",
)
_CITATION_FIELDS = frozenset(
    tuple("last, last1, title, url, author, publisher, journal, first, ref, titre, auteur, vauthors, date".split(", "))
)


def hidden(name: str) -> bool:
    """Whether a template of this name leaves nothing in a sentence."""
    return name in _NAMES or _BEGINNINGS.match(name) is not None or name.endswith(_ENDINGS)


def is_reference(names: frozenset[str]) -> bool:
    """Whether these names of arguments are those of a reference: `citation` is one in English, and a quotation in
    French.
    """
    return bool(names & _CITATION_FIELDS)
