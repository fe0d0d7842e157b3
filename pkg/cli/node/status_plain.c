#include "cli/node/status_plain.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/encoding/utf8.h"

/* Of a character of `n` bytes: its number. */
static uint32_t point_of(const unsigned char *p, size_t n)
{
    static const unsigned char first[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    uint32_t point = p[0] & first[n];

    for (size_t i = 1; i < n; i++)
        point = point << 6 | (p[i] & 0x3fu);
    return point;
}

static bool acts_on_terminal(uint32_t point)
{
    bool control = point < 0x20 || (point >= 0x7f && point < 0xa0);
    bool line_end = point == 0x2028 || point == 0x2029;
    bool direction = (point >= 0x202a && point <= 0x202e) || (point >= 0x2066 && point <= 0x2069) || point == 0x200e ||
                     point == 0x200f || point == 0x061c;

    return control || line_end || direction;
}

/* Copies n bytes of `text` to `out`, which has at least n bytes and may be `text` itself. Returns the new length. */
static size_t copy_plain(const char *text, size_t n, char *out)
{
    size_t used = 0, size;

    for (size_t i = 0; i < n; i += size) {
        size = hf_utf8_length(text + i, n - i);
        if (size == 0 || acts_on_terminal(point_of((const unsigned char *)text + i, size))) {
            out[used++] = '?';
            size = HF_MAX(size, (size_t)1);
            continue;
        }
        memmove(out + used, text + i, size);
        used += size;
    }
    return used;
}

void hf_cli_plain_text(char *text)
{
    text[copy_plain(text, strlen(text), text)] = '\0';
}

static int plain_string(json_t *string)
{
    const char *text = json_string_value(string);
    size_t n = json_string_length(string);
    char *out = malloc(n + 1);

    if (out == NULL)
        return -ENOMEM;
    size_t used = copy_plain(text, n, out);
    int r = used == n && memcmp(out, text, n) == 0 ? 0 : json_string_setn(string, out, used);
    free(out);
    return r < 0 ? -ENOMEM : 0;
}

int hf_cli_make_plain(json_t *root)
{
    const char *key;
    json_t *value;
    size_t i;
    int r = 0;

    if (json_is_string(root))
        return plain_string(root);
    if (json_is_object(root))
        json_object_foreach(root, key, value)
            r = r < 0 ? r : hf_cli_make_plain(value); /* the parser has bounded the depth */
    if (json_is_array(root))
        json_array_foreach(root, i, value)
            r = r < 0 ? r : hf_cli_make_plain(value);
    return r;
}
