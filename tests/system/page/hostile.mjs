// SPDX-License-Identifier: Apache-2.0
// Texts that an object may hold, and that a page must show as texts.
export const HOSTILE = [
  "<script>window.pwned=1</script>", "<img src=x onerror=\"window.pwned=1\">", "<svg onload=window.pwned=1>", "</dd></dl><h1>Ready</h1>",
  "javascript:window.pwned=1", "<a href=\"http://evil.example/\">more</a>", "<iframe src=http://evil.example>", "<style>*{display:none}</style>",
  "<meta http-equiv=refresh content=0;url=http://evil.example>", "<base href=http://evil.example/>", "&lt;script&gt;", "${window.pwned=1}",
  "{{constructor.constructor('window.pwned=1')()}}", "\u202egnp.exe", "\u2066\u202b\u202d", "\u0000\u0001\u001b[31m", "\u009b2J", "\r\n\r\n", "\u200b\u200e\ufeff",
  "\u2028\u2029", "__proto__", "constructor", "a".repeat(32768), "\ud83d\ude00".repeat(5000), "x".repeat(1000000), "\u0301".repeat(2000),
  "\ufdfd".repeat(300), " ".repeat(3000), "{0}{1}", "$&$1", "\ud800", "'\"`\\",
];
