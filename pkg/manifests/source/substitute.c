/* SPDX-License-Identifier: Apache-2.0 */
/* Each text file is read twice: the first pass finds the size of the result, the second one writes it in place. So no
 * half-grown copy of a secret stays in freed memory. */
#include "manifests/source/substitute.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/encoding/utf8.h"

enum {
    HF_SUBSTITUTE_MAX_NAME = 256, /* with its final zero */
};

/* ---- values ------------------------------------------------------------------------------------------------------ */

static int put_new(struct hf_strmap *values, const char *name, const char *value)
{
    if (hf_strmap_get(values, name) != NULL)
        return 0;
    char *copy = strdup(value);
    int r = copy == NULL ? -ENOMEM : hf_strmap_put(values, name, copy);
    if (r < 0)
        free(copy);
    return r;
}

int hf_substitute_add_values(struct hf_strmap *values, const json_t *substitute)
{
    const char *name;
    json_t *value;
    int r = 0;

    json_object_foreach(hf_json_mutable(substitute), name, value) {
        if (r == 0 && json_is_string(value))
            r = put_new(values, name, json_string_value(value));
    }
    return r;
}

/* Writes the variable of a label. Returns false if the key is too long for a label. */
static bool label_name(const char *key, char name[HF_SUBSTITUTE_MAX_NAME])
{
    const char *slash = strrchr(key, '/');
    int n = snprintf(name, HF_SUBSTITUTE_MAX_NAME, "HOLDFAST_LABEL_%s", slash != NULL ? slash + 1 : key);

    for (char *at = name + strlen("HOLDFAST_LABEL_"); *at != '\0'; at++) {
        if (*at >= 'a' && *at <= 'z')
            *at = (char)(*at - 'a' + 'A');
        else if (!(*at >= 'A' && *at <= 'Z') && !(*at >= '0' && *at <= '9'))
            *at = '_';
    }
    return n < HF_SUBSTITUTE_MAX_NAME;
}

/* True if the text is what the API server takes as the value of a label, and not empty. The labels come unsigned, even
 * for the texts of a signed entry: a value with a quote or a line end could add fields to them. */
static bool is_usable(const char *text)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
    size_t n = strlen(text), plain = sizeof(letters) - 1 - 3;

    return n > 0 && n <= 63 && strspn(text, letters) == n && memchr(letters, text[0], plain) != NULL &&
           memchr(letters, text[n - 1], plain) != NULL;
}

/* Adds the labels in the order of their keys: sorting them makes the winner of two equal names always the same. */
static int add_labels(struct hf_strmap *values, const json_t *labels)
{
    struct hf_strmap sorted = {.free_value = NULL};
    char name[HF_SUBSTITUTE_MAX_NAME];
    const char *key;
    json_t *value;
    int r = 0;

    json_object_foreach(hf_json_mutable(labels), key, value) {
        if (r == 0 && json_is_string(value))
            r = hf_strmap_put(&sorted, key, value);
    }
    for (size_t i = 0; r == 0 && i < sorted.n; i++) {
        if (label_name(sorted.entries[i].key, name) && is_usable(json_string_value(sorted.entries[i].value)))
            r = put_new(values, name, json_string_value(sorted.entries[i].value));
    }
    hf_strmap_done(&sorted);
    return r;
}

int hf_substitute_add_facts(struct hf_strmap *values, const char *node, const char *arch, const json_t *labels)
{
    int r = put_new(values, "HOLDFAST_NODE", node);

    if (r == 0)
        r = put_new(values, "HOLDFAST_ARCH", arch);
    return r == 0 && labels != NULL ? add_labels(values, labels) : r;
}

/* ---- one text ---------------------------------------------------------------------------------------------------- */

struct substitution {
    const struct hf_bundle_file *file;
    const struct hf_strmap *values;
    const char *at, *end;
    char *out; /* NULL in the first pass */
    size_t n;  /* bytes of the result so far */
    struct hf_err *err;
};

static void put(struct substitution *text, const char *bytes, size_t n)
{
    if (text->out != NULL)
        memcpy(text->out + text->n, bytes, n);
    text->n += n;
}

static unsigned line_of(const struct substitution *text, const char *at)
{
    unsigned line = 1;

    for (const char *p = text->file->bytes.p; p < at; p++)
        line += *p == '\n';
    return line;
}

static bool is_name(char c, bool first)
{
    return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (!first && c >= '0' && c <= '9');
}

/* Replaces "${NAME}" or "${NAME:=default}" at text->at. */
static int replace(struct substitution *text)
{
    const char *begin = text->at, *at = begin + 2;
    char name[HF_SUBSTITUTE_MAX_NAME];
    size_t n = 0;

    while (at + n < text->end && n < sizeof(name) - 1 && is_name(at[n], n == 0))
        n++;
    memcpy(name, at, n);
    name[n] = '\0';
    at += n;
    const char *close = memchr(at, '}', (size_t)(text->end - at)), *fallback = NULL;
    if (close != NULL && close - at >= 2 && at[0] == ':' && at[1] == '=')
        fallback = at + 2;
    if (n == 0 || close == NULL || (fallback == NULL && close != at) || memchr(at, '\n', (size_t)(close - at)) != NULL)
        return hf_err_set(text->err, EBADMSG,
                          "%.90s:%u: '${%.50s' begins no variable; write '$${' for the characters themselves",
                          text->file->path, line_of(text, begin), name);
    const char *value = hf_strmap_get(text->values, name);
    text->at = close + 1;
    if (fallback != NULL && (value == NULL || value[0] == '\0'))
        put(text, fallback, (size_t)(close - fallback));
    else if (value == NULL)
        return hf_err_set(text->err, EBADMSG,
                          "%.90s:%u: variable '%.50s' is not defined; add it to substitute, or give a default "
                          "with ':='",
                          text->file->path, line_of(text, begin), name);
    else
        put(text, value, strlen(value));
    return 0;
}

/* Makes the result of a file at text->out, or only counts its bytes. */
static int run(struct substitution *text)
{
    while (text->at < text->end) {
        size_t left = (size_t)(text->end - text->at);
        const char *dollar = memchr(text->at, '$', left);
        size_t plain = dollar != NULL ? (size_t)(dollar - text->at) : left;
        put(text, text->at, plain);
        text->at += plain;
        if (text->n > HF_BUNDLE_MAX_FILE)
            return hf_err_set(text->err, E2BIG, "%.160s: the values make the file larger than %d bytes",
                              text->file->path, HF_BUNDLE_MAX_FILE);
        if (dollar == NULL)
            break;
        char next = dollar + 1 < text->end ? dollar[1] : '\0';
        int r = 0;
        if (next == '{') {
            r = replace(text);
        } else {
            put(text, "$", 1);
            text->at += next == '$' ? 2 : 1;
        }
        if (r < 0)
            return r;
    }
    return 0;
}

static bool is_text(struct hf_view bytes)
{
    return memchr(bytes.p, '\0', bytes.n) == NULL && hf_utf8_valid(bytes.p, bytes.n);
}

static int substitute_file(struct hf_bundle *into, const struct hf_bundle_file *file, const struct hf_strmap *values,
                           struct hf_err *err)
{
    struct substitution text = {.file = file, .values = values, .err = err};

    if (!is_text(file->bytes))
        return hf_bundle_add(into, file->path, file->mode, file->bytes, err);
    text.at = file->bytes.p;
    text.end = text.at + file->bytes.n;
    int r = run(&text);
    if (r == 0)
        r = hf_bundle_make_room(into, file->path, file->mode, text.n, &text.out, err);
    if (r < 0)
        return r;
    text.at = file->bytes.p;
    text.n = 0;
    return run(&text);
}

int hf_substitute_bundle(const struct hf_bundle *bundle, const struct hf_strmap *values, struct hf_bundle **ret_bundle,
                         struct hf_err *err)
{
    _cleanup_(hf_bundle_freep) struct hf_bundle *into = hf_bundle_new();
    int r = 0;

    if (into == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    into->secret = bundle->secret;
    for (size_t i = 0; r == 0 && i < bundle->n; i++)
        r = substitute_file(into, &bundle->files[i], values, err);
    if (r == 0)
        r = hf_bundle_seal(into, err);
    if (r == 0)
        *ret_bundle = hf_steal(into);
    return r;
}

/* ---- which labels matter ----------------------------------------------------------------------------------------- */

/* Adds each "${HOLDFAST_LABEL_..." of a text. It may add names that stand after "$$" and are no variables. */
static int add_names(json_t *names, struct hf_view text)
{
    static const char start[] = "${HOLDFAST_LABEL_";
    const char *at = text.p, *end = text.p + text.n;
    char name[HF_SUBSTITUTE_MAX_NAME];

    while (at != NULL && (at = memmem(at, (size_t)(end - at), start, sizeof(start) - 1)) != NULL) {
        size_t n = 0;
        at += 2;
        while (at + n < end && n < sizeof(name) - 1 && is_name(at[n], n == 0))
            n++;
        memcpy(name, at, n);
        name[n] = '\0';
        at += n;
        if (json_object_set_new(names, name, json_true()) < 0 || json_object_size(names) > HF_SUBSTITUTE_MAX_LABELS)
            return -E2BIG;
    }
    return 0;
}

json_t *hf_substitute_label_names(const struct hf_bundle *bundle)
{
    json_t *names = json_object();
    int r = names != NULL ? 0 : -ENOMEM;

    for (size_t i = 0; r == 0 && i < bundle->n; i++)
        if (bundle->files[i].bytes.n > 0)
            r = add_names(names, bundle->files[i].bytes);
    if (r == 0)
        return names;
    json_decref(names);
    return NULL;
}

bool hf_substitute_uses_label(const json_t *names, const char *key)
{
    char name[HF_SUBSTITUTE_MAX_NAME];

    return label_name(key, name) && json_object_get(names, name) != NULL;
}
