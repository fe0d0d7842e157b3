/* SPDX-License-Identifier: Apache-2.0 */
/* The text is read once, from the left; at each place the first rule that fits takes its part away and leaves a note.
 *
 * The state is the place, and two indents: of a name whose value goes on in the lines below it (YAML), which are
 * removed while they are indented deeper. A value is removed to its end as the syntax around it has it: a quoted text
 * to its closing quote, a list or an object to its closing bracket, NAME=VALUE to the next space, "name: value" to the
 * end of the line. A value that does not end is removed to the end of the text.
 *
 * It takes away:
 *   - private keys in PEM, also with \n for line ends or without an end
 *   - the value of a name such as password, token, authorization or client-key-data in JSON, YAML, headers,
 *     NAME=VALUE and "--name VALUE", and what is nested below; not if the name ends with File, Path, Dir, Ref or Name
 *   - user, password and query of a URL; the word after Bearer, Basic and the like
 *   - words of 20 or more characters that mix upper case, lower case and digits (tokens, keys in base64; not hashes
 *     in hexadecimal, uids and names)
 *
 * A secret without these forms stays. */
#include "cli/support/redact.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "cli/plain.h"

enum { TOKEN = 20, NAME_MAX_BYTES = 80 };

#define NOTE "[redacted]"

struct redaction {
    const char *p, *end, *start;
    const char *kept;     /* from here on, the text is not in `out` yet */
    const char *no_query; /* up to here, no '?' begins a query */
    bool named;           /* {name: PASSWORD, value: ...}: the next "value" is that of a secret */
    struct hf_buf *out;
    int r;
};

static void put(struct redaction *to, const char *bytes, size_t n)
{
    if (to->r == 0)
        to->r = hf_buf_add(to->out, bytes, n);
}

/* Keeps the text up to `from`, and leaves a note in the place of what is before `to`. */
static void cut(struct redaction *in, const char *from, const char *to)
{
    put(in, in->kept, (size_t)(from - in->kept));
    put(in, NOTE, sizeof(NOTE) - 1);
    in->kept = in->p = to;
}

static bool starts(const struct redaction *in, const char *p, const char *word)
{
    size_t n = strlen(word);

    return (size_t)(in->end - p) >= n && strncasecmp(p, word, n) == 0;
}

static bool is_word(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '-';
}

/* ---- names of secrets -------------------------------------------------------------------------------------------- */

static bool ends_with(const char *name, size_t n, const char *end)
{
    size_t length = strlen(end);

    return n >= length && strncasecmp(name + n - length, end, length) == 0;
}

static bool contains(const char *name, size_t n, const char *part)
{
    size_t length = strlen(part);

    for (size_t i = 0; i + length <= n; i++)
        if (strncasecmp(name + i, part, length) == 0)
            return true;
    return false;
}

static bool is_secret_name(const char *name, size_t n)
{
    static const char *const places[] = {"file", "path", "dir", "ref", "name"};
    static const char *const secrets[] = {"passw",   "passphrase", "pwd",     "secret",    "token",      "credential",
                                          "cookie",  "apikey",     "api-key", "api_key",   "key-data",   "keydata",
                                          "private", "signingkey", "session", "accesskey", "access-key", "access_key"};

    if (ends_with(name, n, "authorization") || ends_with(name, n, "auth"))
        return true;
    for (size_t i = 0; i < HF_LEN(places); i++)
        if (ends_with(name, n, places[i]))
            return false;
    for (size_t i = 0; i < HF_LEN(secrets); i++)
        if (contains(name, n, secrets[i]))
            return true;
    return false;
}

/* ---- where a value ends ------------------------------------------------------------------------------------------ */

static const char *end_of_line(const struct redaction *in, const char *p)
{
    const char *line_end = memchr(p, '\n', (size_t)(in->end - p));

    return line_end != NULL ? line_end : in->end;
}

/* `p` is behind the opening quote. Returns the place of the closing one. */
static const char *end_of_quoted(const struct redaction *in, const char *p, char quote)
{
    for (; p < in->end && *p != quote; p++)
        if (*p == '\\' && quote == '"' && p + 1 < in->end)
            p++;
    return p;
}

/* `p` is at the opening bracket. Returns the place behind the closing one. */
static const char *end_of_bracket(const struct redaction *in, const char *p)
{
    int depth = 0;

    for (; p < in->end; p++) {
        if (*p == '"')
            p = end_of_quoted(in, p + 1, '"');
        else if (*p == '[' || *p == '{')
            depth++;
        else if ((*p == ']' || *p == '}') && --depth == 0)
            return p + 1;
        if (p == in->end)
            break;
    }
    return in->end;
}

static size_t indent_of(const struct redaction *in, const char *line)
{
    const char *p = line;

    while (p < in->end && (*p == ' ' || *p == '\t'))
        p++;
    return (size_t)(p - line);
}

/* Skips the lines below the one that ends at `p` while they are indented deeper than the line that begins at `line`, or
 * are empty, or are items of a list at the same indent. Returns where the last of them ends. */
static const char *end_of_block(const struct redaction *in, const char *line, const char *p)
{
    size_t outer = indent_of(in, line);

    while (p < in->end) {
        const char *next = p + 1, *stop = next < in->end ? end_of_line(in, next) : in->end;
        if (next >= in->end)
            return p;
        size_t indent = indent_of(in, next);
        bool item = indent == outer && starts(in, next + indent, "- ") && !starts(in, line + outer, "- ");
        if (next + indent < stop && indent <= outer && !item)
            return p;
        p = stop;
    }
    return p;
}

static const char *line_of(const struct redaction *in, const char *p)
{
    while (p > in->start && p[-1] != '\n')
        p--;
    return p;
}

/* ---- the rules --------------------------------------------------------------------------------------------------- */

/* "name": value, name=value, --name value. `name_end` is behind the name. Returns true if the value was removed. */
static bool remove_value(struct redaction *in, const char *name_end)
{
    const char *p = name_end, *value;

    if (p < in->end && *p == '\\')
        p++;
    if (p < in->end && (*p == '"' || *p == '\''))
        p++;
    while (p < in->end && (*p == ' ' || *p == '\t'))
        p++;
    bool option = p > name_end && starts(in, in->p, "--") && p < in->end && *p != '-' && *p != '\n';
    if (!option && (p == in->end || (*p != ':' && *p != '=')))
        return false;
    bool assigned = option || *p == '=';
    p += !option;
    while (p < in->end && (*p == ' ' || *p == '\t'))
        p++;
    value = p;
    if (p < in->end && (*p == '"' || *p == '\''))
        p = end_of_quoted(in, p + 1, *p) + 1;
    else if (p < in->end && (*p == '[' || *p == '{'))
        p = end_of_bracket(in, p);
    else if (assigned)
        while (p < in->end && !isspace((unsigned char)*p) && *p != '&' && *p != ';')
            p++;
    else
        p = end_of_block(in, line_of(in, in->p), end_of_line(in, p));
    if (p > in->end)
        p = in->end;
    cut(in, value, p);
    return true;
}

/* Remembers whether the text behind "name" or "key" is the name of a secret, as in lists of variables and headers. */
static void see_name(struct redaction *in, const char *name, const char *name_end)
{
    const char *p = name_end;
    size_t n = (size_t)(name_end - name);

    if (!(n == 4 && strncasecmp(name, "name", 4) == 0) && !(n == 3 && strncasecmp(name, "key", 3) == 0))
        return;
    while (p < in->end && strchr("\"'\\ :=", *p) != NULL && *p != '\0')
        p++;
    const char *text = p;
    while (p < in->end && is_word(*p))
        p++;
    in->named = is_secret_name(text, (size_t)(p - text));
}

static bool remove_named(struct redaction *in)
{
    const char *p = in->p;

    if (!is_word(*p) || (p > in->start && is_word(p[-1])))
        return false;
    while (p < in->end && is_word(*p))
        p++;
    size_t n = (size_t)(p - in->p);
    if (n > NAME_MAX_BYTES)
        return false;
    if (is_secret_name(in->p, n) || (in->named && n == 5 && starts(in, in->p, "value")))
        return remove_value(in, p);
    see_name(in, in->p, p);
    return false;
}

static bool remove_private_key(struct redaction *in)
{
    static const char begin[] = "-----BEGIN ", key[] = "PRIVATE KEY-----", end[] = "-----END ";

    if (!starts(in, in->p, begin))
        return false;
    const char *head = memmem(in->p + 1, (size_t)(in->end - in->p) - 1, "-----", 5);
    if (head == NULL || memmem(in->p, (size_t)(head + 5 - in->p), key, sizeof(key) - 1) == NULL)
        return false;
    const char *tail = memmem(head, (size_t)(in->end - head), end, sizeof(end) - 1);
    const char *last = tail != NULL ? memmem(tail + 9, (size_t)(in->end - tail - 9), "-----", 5) : NULL;
    cut(in, in->p, last != NULL ? last + 5 : in->end);
    return true;
}

static bool ends_url(char c)
{
    return isspace((unsigned char)c) || strchr("\"'<>()[]{}|\\^`,;", c) != NULL;
}

/* At "://". */
static bool remove_from_url(struct redaction *in)
{
    if (!starts(in, in->p, "://"))
        return false;
    const char *authority = in->p + 3, *p = authority, *at = NULL;
    for (; p < in->end && !ends_url(*p) && *p != '/' && *p != '?' && *p != '#'; p++)
        if (*p == '@')
            at = p;
    if (at != NULL)
        cut(in, authority, at);
    else if (p == in->end)
        cut(in, authority, p); /* a text that was cut off may end within the user */
    else
        in->p = authority;
    return true;
}

/* The query of a URL or of a request line. */
static bool remove_query(struct redaction *in)
{
    const char *p = in->p + 1;

    if (*in->p != '?' || in->p == in->start || ends_url(in->p[-1]) || in->p < in->no_query)
        return false;
    bool named = false;
    for (; p < in->end && !isspace((unsigned char)*p) && strchr("\"'<>`", *p) == NULL; p++)
        named |= *p == '=';
    if (!named) {
        in->no_query = p;
        return false;
    }
    cut(in, in->p + 1, p);
    return true;
}

static bool remove_scheme(struct redaction *in)
{
    static const char *const schemes[] = {"Bearer ", "Basic ", "ApiKey ", "Negotiate "};

    if (in->p > in->start && is_word(in->p[-1]))
        return false;
    for (size_t i = 0; i < HF_LEN(schemes); i++) {
        size_t n = strlen(schemes[i]);
        if (!starts(in, in->p, schemes[i]))
            continue;
        const char *p = in->p + n;
        while (p < in->end && !ends_url(*p))
            p++;
        cut(in, in->p + n, p);
        return true;
    }
    return false;
}

static bool remove_random(struct redaction *in)
{
    bool upper = false, lower = false, digit = false;
    const char *p = in->p;

    if (!is_word(*p) || (p > in->start && is_word(p[-1])))
        return false;
    for (; p < in->end && (is_word(*p) || *p == '+'); p++) {
        upper |= isupper((unsigned char)*p) != 0;
        lower |= islower((unsigned char)*p) != 0;
        digit |= isdigit((unsigned char)*p) != 0;
    }
    if (p - in->p < TOKEN || !upper || !lower || !digit)
        return false;
    cut(in, in->p, p);
    return true;
}

/* ---- the text ---------------------------------------------------------------------------------------------------- */

/* Keeps line ends and tabs. Returns the new length. */
static size_t make_plain(char *text, size_t n)
{
    size_t used = 0, from = 0;

    for (size_t i = 0; i <= n; i++) {
        if (i < n && text[i] != '\n' && text[i] != '\t')
            continue;
        used += hf_cli_plain_bytes(text + from, i - from, text + used);
        if (i < n)
            text[used++] = text[i];
        from = i + 1;
    }
    return used;
}

int hf_cli_redact(struct hf_view text, struct hf_buf *out)
{
    struct redaction in = {
        .p = text.p, .start = text.p, .kept = text.p, .no_query = text.p, .end = text.p + text.n, .out = out};
    size_t before = out->n;

    while (in.r == 0 && in.p < in.end) {
        if (remove_private_key(&in) || remove_named(&in) || remove_from_url(&in) || remove_query(&in) ||
            remove_scheme(&in) || remove_random(&in))
            continue;
        in.p++;
    }
    put(&in, in.kept, (size_t)(in.p - in.kept));
    if (in.r < 0 || out->n == before)
        return in.r;
    out->n = before + make_plain(out->p + before, out->n - before);
    out->p[out->n] = '\0';
    return 0;
}
