package web

import (
	"fmt"
	"strings"
)

// naughty are texts that programs have stumbled over, of our own making, by what
// they are to stumble over. Any of them may be typed into any field.
var naughty = func() []string {
	var all []string
	for _, family := range [][]string{
		// nothing, and what looks like it
		{"", " ", "\t", "\n", "\r\n", "\v\f", "\u00a0", "\u2003", "\u3000", "\u2028", "\u2029", "\u0085", "\ufeff", "\u200b", "\u2060", "\u180e", "\u115f", "\u3164", "\x00", "\x7f"},
		// words of languages
		{"null", "NULL", "nil", "None", "undefined", "NaN", "Infinity", "-Infinity", "true", "false", "TRUE", "yes", "no", "on", "off", "~", "void", "this", "self", "then", "hasOwnProperty", "__proto__", "constructor", "prototype", "toString", "valueOf", "__class__", "eval", "exec", "INF", "1/0", "(null)", "<nil>", "%!s(<nil>)", "[object Object]"},
		// numbers
		{"0", "-0", "+1", "00", "01", "1.", ".5", "1e3", "1e400", "-1e400", "1e-400", "0x10", "0b1", "0o7", "1_000", "1,5", "1 000", "٣", "１２", "²", "½", "Ⅷ", "9223372036854775807", "9223372036854775808", "-9223372036854775809", "18446744073709551616", "4294967296", "2147483648", "0.30000000000000004", "1.7976931348623157e309", "999999999999999999999999999999999999999999", "$1", "1%", "1e", "0e0", "--1"},
		// formats and templates
		{"%s", "%d%d%d%d", "%n", "%x%x%x", "%99999999d", "%!d(string=a)", "%%", "%v%+v%#v", "%20", "%00", "%zz", "%", "{0}", "{}", "{{.}}", "{{.Pass}}", "{{7*7}}", "{{template \"page\"}}", "{{/*", "}}", "${7*7}", "#{7*7}", "<%= 7*7 %>", "<?php echo 1 ?>", "{% raw %}", "@{1}", "[[1]]", "$(id)", "`id`", "${env:HOME}", "${jndi:ldap://127.0.0.1/a}", "${${lower:j}ndi:ldap://127.0.0.1/a}", "{{constructor.constructor('return 1')()}}", "*{1}"},
		// databases and what stores are spoken to by
		{"'", "\"", "''", "' OR '1'='1", "'; DROP TABLE ballots; --", "1; SELECT 1", "\" OR \"\"=\"", "admin'--", "') UNION SELECT NULL--", "{\"$gt\":\"\"}", "[$ne]", "*", "?", "_", "\\", "\\'", "*)(uid=*))(|(uid=*", "' or count(/*)=1 or '", "*1\r\n$8\r\nFLUSHALL\r\n", "\r\nFLUSHALL\r\n", "$-1\r\n", "+OK\r\n", "-ERR no\r\n", "EVAL \"return 1\" 0", "redis.call('FLUSHALL')", "{joute}", "joute:contests", "{x/0}", "}{", "a}b{c", "KEYS *", "lumiere-1|counted", "lumiere-1/last", "/held"},
		// markup
		{"<script>alert(1)</script>", "<ScRiPt>alert(1)</sCrIpT >", "<img src=x onerror=alert(1)>", "<svg/onload=alert(1)>", "\"><script>alert(1)</script>", "'><b onmouseover=alert(1)>x", "</title><script>alert(1)</script>", "</script><script>alert(1)</script>", "</textarea><script>alert(1)</script>", "<!--", "-->", "<![CDATA[", "]]>", "<!DOCTYPE html>", "<iframe src=javascript:alert(1)>", "javascript:alert(1)", "JaVaScRiPt:alert(1)", "java\tscript:alert(1)", "data:text/html,<script>alert(1)</script>", "vbscript:x", "&lt;b&gt;", "&#60;script&#62;", "&amp;amp;", "&", "<", ">", "<b", "<a href=\"", "style=x:expression(alert(1))", "<style>*{display:none}</style>", "<base href=//other.example>", "<meta http-equiv=refresh content=0>", "<xml><!ENTITY a \"b\">", "<details open ontoggle=alert(1)>", "\"onfocus=alert(1) autofocus x=\"", "\\u003cscript\\u003e", "\u2028alert(1)", "<math><mi xlink:href=x>"},
		// paths, files, addresses
		{"..", ".", "../", "../../../../etc/passwd", "..\\..\\windows\\win.ini", "/etc/passwd", "....//....//", "%2e%2e%2f", "%252e%252e%252f", "..%c0%af", "C:\\", "\\\\server\\share", "file:///etc/passwd", "/dev/zero", "CON", "NUL", "aux.txt", "a/b", "//other.example", "http://127.0.0.1:1/", "http://[::1]/", "https://user:pass@other.example", "http://0x7f000001", "ftp://x", "//", "/", "~root", ".env", "a.b.c", "a?b", "a#b", "a;b", "?a=b&a=c", "a\x00.png", "|id", "; id", "& id", "> /tmp/x", "-rf", "--help", "@file"},
		// what a spreadsheet runs
		{"=1+1", "=cmd|'/c calc'!A1", "+1+1", "-1+1", "@SUM(1)", "\t=1", "\"=1\"", ";=1", ",,,", "a,b\"c\nd"},
		// lines of other protocols
		{"a\r\nX-Injected: 1", "a\nSet-Cookie: a=b", "a\r\n\r\n<b>", "x\r\nBcc: a@b.example", "\r\n.\r\n", "id: 1\n\ndata: x\n\n", "data: x", ":\n\n", "a; charset=utf-7", "+ADw-script+AD4-", "=?utf-8?q?a?=", "a@b@c", "a@[127.0.0.1]", "\"a b\"@c.example", "a@xn--", "a@-.example"},
		// writing systems
		{"مسابقة", "עברית", "Zürich", "Œuvre", "ẞ", "İ", "ı", "ﬁ", "Ǆ", "ß", "日本語", "한국어", "ไทย", "Ελλάδα", "ΣΑΣ", "россия", "раypal", "𝒜𝓁𝑒𝒳", "ⓐⓑ", "ｆｕｌｌ", "𐍈", "\U0010ffff", "\ufffe", "\uffff", "\ufffd", "é", "e\u0301", "Å", "Å", "\u1100\u1161", "가"},
		// directions and what is not seen
		{"\u202eabc", "\u202dabc\u202c", "\u2066abc\u2069", "\u200fabc", "\u200eabc", "a\u200bb", "a\u200db", "a\u00adb", "a\ufe0f", "\U000e0061\U000e007f", "\u061c", "abc\u202e", "a\u2067b", "\u206a"},
		// many signs for one
		{"👍", "👍🏽", "👩‍👩‍👧‍👦", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "🇫🇷", "🇫", "🇫🇷🇫", "❤️", "1️⃣", "🧑🏿‍🚀", "\u200d", "Z\u0351\u036b\u0343\u036a\u0302\u036b\u033d", "ᄀᄀᄀ각ᆨᆨ"},
		// not text at all
		{"\xff", "\xfe\xff", "a\x80b", "\xc0\x80", "\xc0\xaf", "\xe0\x80\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xf8\x88\x80\x80\x80", "\xe2\x82", "\x1b[31mred", "\x07\x08", "\x01\x02\x03", "\u0000\u0001", "\x9b"},
		// long
		{strings.Repeat("a", 63), strings.Repeat("a", 64), strings.Repeat("a", 65), strings.Repeat("a", 255), strings.Repeat("a", 256), strings.Repeat("a", 1025), strings.Repeat("é", 513), strings.Repeat("👍", 300), strings.Repeat("\u0301", 500), strings.Repeat("(", 500), strings.Repeat("a,", 700), strings.Repeat("%", 700), strings.Repeat(" ", 900), strings.Repeat("<", 900), strings.Repeat("1", 1500), strings.Repeat("a.", 700), strings.Repeat("\\", 900), strings.Repeat("a ", 600)},
	} {
		all = append(all, family...)
	}
	for _, around := range []string{" %s ", "\t%s", "%s\n", "\ufeff%s", "%s\x00", "\u200b%s"} { // what ids look like when copied
		all = append(all, fmt.Sprintf(around, "lumiere-1"))
	}
	return all
}()
