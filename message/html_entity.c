/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 */
#include "message/html_entity.h"

#include <stdlib.h>

#include "base/utf8.h"

struct entity {
	struct span name;
	uint32_t cp;
};

#define E(name, cp)	{ SPAN(name), cp }

/* In the order of span_cmp(). */
static const struct entity entities[] = {
	E("AElig", 0xC6), E("Aacute", 0xC1), E("Acirc", 0xC2),
	E("Agrave", 0xC0), E("Alpha", 0x391), E("Aring", 0xC5),
	E("Atilde", 0xC3), E("Auml", 0xC4), E("Beta", 0x392), E("Ccedil", 0xC7),
	E("Chi", 0x3A7), E("Dagger", 0x2021), E("Delta", 0x394), E("ETH", 0xD0),
	E("Eacute", 0xC9), E("Ecirc", 0xCA), E("Egrave", 0xC8),
	E("Epsilon", 0x395), E("Eta", 0x397), E("Euml", 0xCB),
	E("Gamma", 0x393), E("Iacute", 0xCD), E("Icirc", 0xCE),
	E("Igrave", 0xCC), E("Iota", 0x399), E("Iuml", 0xCF), E("Kappa", 0x39A),
	E("Lambda", 0x39B), E("Mu", 0x39C), E("Ntilde", 0xD1), E("Nu", 0x39D),
	E("OElig", 0x152), E("Oacute", 0xD3), E("Ocirc", 0xD4),
	E("Ograve", 0xD2), E("Omega", 0x3A9), E("Omicron", 0x39F),
	E("Oslash", 0xD8), E("Otilde", 0xD5), E("Ouml", 0xD6), E("Phi", 0x3A6),
	E("Pi", 0x3A0), E("Prime", 0x2033), E("Psi", 0x3A8), E("Rho", 0x3A1),
	E("Scaron", 0x160), E("Sigma", 0x3A3), E("THORN", 0xDE),
	E("Tau", 0x3A4), E("Theta", 0x398), E("Uacute", 0xDA), E("Ucirc", 0xDB),
	E("Ugrave", 0xD9), E("Upsilon", 0x3A5), E("Uuml", 0xDC), E("Xi", 0x39E),
	E("Yacute", 0xDD), E("Yuml", 0x178), E("Zeta", 0x396),
	E("aacute", 0xE1), E("acirc", 0xE2), E("acute", 0xB4), E("aelig", 0xE6),
	E("agrave", 0xE0), E("alefsym", 0x2135), E("alpha", 0x3B1),
	E("amp", 0x26), E("and", 0x2227), E("ang", 0x2220), E("apos", 0x27),
	E("aring", 0xE5), E("asymp", 0x2248), E("atilde", 0xE3),
	E("auml", 0xE4), E("bdquo", 0x201E), E("beta", 0x3B2),
	E("brvbar", 0xA6), E("bull", 0x2022), E("cap", 0x2229),
	E("ccedil", 0xE7), E("cedil", 0xB8), E("cent", 0xA2), E("chi", 0x3C7),
	E("circ", 0x2C6), E("clubs", 0x2663), E("cong", 0x2245),
	E("copy", 0xA9), E("crarr", 0x21B5), E("cup", 0x222A),
	E("curren", 0xA4), E("dArr", 0x21D3), E("dagger", 0x2020),
	E("darr", 0x2193), E("deg", 0xB0), E("delta", 0x3B4),
	E("diams", 0x2666), E("divide", 0xF7), E("eacute", 0xE9),
	E("ecirc", 0xEA), E("egrave", 0xE8), E("empty", 0x2205),
	E("emsp", 0x2003), E("ensp", 0x2002), E("epsilon", 0x3B5),
	E("equiv", 0x2261), E("eta", 0x3B7), E("eth", 0xF0), E("euml", 0xEB),
	E("euro", 0x20AC), E("exist", 0x2203), E("fnof", 0x192),
	E("forall", 0x2200), E("frac12", 0xBD), E("frac14", 0xBC),
	E("frac34", 0xBE), E("frasl", 0x2044), E("gamma", 0x3B3),
	E("ge", 0x2265), E("gt", 0x3E), E("hArr", 0x21D4), E("harr", 0x2194),
	E("hearts", 0x2665), E("hellip", 0x2026), E("iacute", 0xED),
	E("icirc", 0xEE), E("iexcl", 0xA1), E("igrave", 0xEC),
	E("image", 0x2111), E("infin", 0x221E), E("int", 0x222B),
	E("iota", 0x3B9), E("iquest", 0xBF), E("isin", 0x2208), E("iuml", 0xEF),
	E("kappa", 0x3BA), E("lArr", 0x21D0), E("lambda", 0x3BB),
	E("lang", 0x2329), E("laquo", 0xAB), E("larr", 0x2190),
	E("lceil", 0x2308), E("ldquo", 0x201C), E("le", 0x2264),
	E("lfloor", 0x230A), E("lowast", 0x2217), E("loz", 0x25CA),
	E("lrm", 0x200E), E("lsaquo", 0x2039), E("lsquo", 0x2018),
	E("lt", 0x3C), E("macr", 0xAF), E("mdash", 0x2014), E("micro", 0xB5),
	E("middot", 0xB7), E("minus", 0x2212), E("mu", 0x3BC),
	E("nabla", 0x2207), E("nbsp", 0xA0), E("ndash", 0x2013),
	E("ne", 0x2260), E("ni", 0x220B), E("not", 0xAC), E("notin", 0x2209),
	E("nsub", 0x2284), E("ntilde", 0xF1), E("nu", 0x3BD), E("oacute", 0xF3),
	E("ocirc", 0xF4), E("oelig", 0x153), E("ograve", 0xF2),
	E("oline", 0x203E), E("omega", 0x3C9), E("omicron", 0x3BF),
	E("oplus", 0x2295), E("or", 0x2228), E("ordf", 0xAA), E("ordm", 0xBA),
	E("oslash", 0xF8), E("otilde", 0xF5), E("otimes", 0x2297),
	E("ouml", 0xF6), E("para", 0xB6), E("part", 0x2202),
	E("permil", 0x2030), E("perp", 0x22A5), E("phi", 0x3C6), E("pi", 0x3C0),
	E("piv", 0x3D6), E("plusmn", 0xB1), E("pound", 0xA3),
	E("prime", 0x2032), E("prod", 0x220F), E("prop", 0x221D),
	E("psi", 0x3C8), E("quot", 0x22), E("rArr", 0x21D2), E("radic", 0x221A),
	E("rang", 0x232A), E("raquo", 0xBB), E("rarr", 0x2192),
	E("rceil", 0x2309), E("rdquo", 0x201D), E("real", 0x211C),
	E("reg", 0xAE), E("rfloor", 0x230B), E("rho", 0x3C1), E("rlm", 0x200F),
	E("rsaquo", 0x203A), E("rsquo", 0x2019), E("sbquo", 0x201A),
	E("scaron", 0x161), E("sdot", 0x22C5), E("sect", 0xA7), E("shy", 0xAD),
	E("sigma", 0x3C3), E("sigmaf", 0x3C2), E("sim", 0x223C),
	E("spades", 0x2660), E("sub", 0x2282), E("sube", 0x2286),
	E("sum", 0x2211), E("sup", 0x2283), E("sup1", 0xB9), E("sup2", 0xB2),
	E("sup3", 0xB3), E("supe", 0x2287), E("szlig", 0xDF), E("tau", 0x3C4),
	E("there4", 0x2234), E("theta", 0x3B8), E("thetasym", 0x3D1),
	E("thinsp", 0x2009), E("thorn", 0xFE), E("tilde", 0x2DC),
	E("times", 0xD7), E("trade", 0x2122), E("uArr", 0x21D1),
	E("uacute", 0xFA), E("uarr", 0x2191), E("ucirc", 0xFB),
	E("ugrave", 0xF9), E("uml", 0xA8), E("upsih", 0x3D2),
	E("upsilon", 0x3C5), E("uuml", 0xFC), E("weierp", 0x2118),
	E("xi", 0x3BE), E("yacute", 0xFD), E("yen", 0xA5), E("yuml", 0xFF),
	E("zeta", 0x3B6), E("zwj", 0x200D), E("zwnj", 0x200C)
};

/* What bytes 128 to 159 are in windows-1252; those that it lacks stay. */
static const uint16_t windows[32] = {
	0x20AC, 0x81, 0x201A, 0x192, 0x201E, 0x2026, 0x2020, 0x2021,
	0x2C6, 0x2030, 0x160, 0x2039, 0x152, 0x8D, 0x17D, 0x8F,
	0x90, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014,
	0x2DC, 0x2122, 0x161, 0x203A, 0x153, 0x9D, 0x17E, 0x178
};

/* The value of a digit; 16 if c is none. */
static uint32_t
digit(uint8_t c)
{
	c = to_lower(c);
	if (is_digit(c))
		return (uint32_t)(c - '0');
	return c >= 'a' && c <= 'f' ? (uint32_t)(c - 'a' + 10) : 16;
}

/* "233" or "xE9" */
static uint32_t
number(struct span s)
{
	uint32_t base = 10, cp = 0;

	if (s.n > 0 && to_lower(s.p[0]) == 'x') {
		base = 16;
		s = span_skip(s, 1);
	}
	if (s.n == 0)
		return 0;
	for (size_t i = 0; i < s.n; i++) {
		if (digit(s.p[i]) >= base)
			return 0;
		if (cp <= 0x10FFFF)
			cp = cp * base + digit(s.p[i]);
	}
	if (cp >= 128 && cp < 160)
		return windows[cp - 128];
	if (cp == 0 || cp > 0x10FFFF || (cp >= 0xD800 && cp <= 0xDFFF))
		return UTF8_REPLACEMENT;
	return cp;
}

static int
entity_cmp(const void *key, const void *e)
{
	return span_cmp(*(const struct span *)key,
	    ((const struct entity *)e)->name);
}

uint32_t
html_entity(struct span name, bool has_semicolon)
{
	const struct entity *e;

	if (name.n > 0 && name.p[0] == '#')
		return number(span_skip(name, 1));
	e = bsearch(&name, entities, sizeof(entities) / sizeof(entities[0]),
	    sizeof(entities[0]), entity_cmp);
	return e != NULL && (has_semicolon || e->cp <= 0xFF) ? e->cp : 0;
}
