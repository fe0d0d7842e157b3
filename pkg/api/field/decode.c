/* SPDX-License-Identifier: Apache-2.0 */
#include "api/field/decode.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/net/url_mask.h"

size_t hf_decode_enter(struct hf_decode *decode, const char *key, size_t index)
{
    size_t before = decode->path_n, at = before, room = sizeof(decode->path) - 1 - before;
    char element[24];

    if (key == NULL) {
        (void)snprintf(element, sizeof(element), "[%zu]", index);
        key = element;
    } else if (before > 0 && room > 0) {
        decode->path[at++] = '.';
        room--;
    }
    size_t n = strnlen(key, room);
    memcpy(decode->path + at, key, n);
    decode->path_n = at + n;
    decode->path[decode->path_n] = '\0';
    return before;
}

void hf_decode_leave(struct hf_decode *decode, size_t before)
{
    decode->path_n = before;
    decode->path[before] = '\0';
}

void hf_decode_error_at(struct hf_decode *decode, const char *key, const char *format, ...)
{
    char text[sizeof(((struct hf_issue *)0)->text)];
    size_t before = hf_decode_enter(decode, key, 0);
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    hf_issue_error(decode->issues, decode->path, "%s", text);
    hf_decode_leave(decode, before);
}

/* Returns the largest length of at most n bytes that ends between two UTF-8 characters. */
static int whole_characters(const char *text, int n)
{
    while (n > 0 && ((unsigned char)text[n] & 0xc0) == 0x80)
        n--;
    return n;
}

const char *hf_decode_describe(const json_t *value, char text[HF_VALUE_TEXT])
{
    enum { SHOWN = 40 };
    const char *string = json_string_value(value);
    char masked[HF_URL_MASKED];

    if (string != NULL && strstr(string, "://") != NULL) /* its query may be a secret */
        string = hf_url_mask(string, masked, sizeof(masked));
    if (string != NULL && strlen(string) > SHOWN)
        (void)snprintf(text, HF_VALUE_TEXT, "'%.*s...'", whole_characters(string, SHOWN), string);
    else if (string != NULL)
        (void)snprintf(text, HF_VALUE_TEXT, "'%s'", string);
    else if (json_is_integer(value))
        (void)snprintf(text, HF_VALUE_TEXT, "%" PRId64, (int64_t)json_integer_value(value));
    else if (json_is_real(value))
        (void)snprintf(text, HF_VALUE_TEXT, "%g", json_real_value(value));
    else if (json_is_boolean(value))
        (void)snprintf(text, HF_VALUE_TEXT, "%s", json_is_true(value) ? "true" : "false");
    else
        (void)snprintf(text, HF_VALUE_TEXT, "%s",
                       json_is_array(value)    ? "a list"
                       : json_is_object(value) ? "an object"
                                               : "null");
    return text;
}
