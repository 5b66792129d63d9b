"""MediaWiki dumps and wikitext."""
