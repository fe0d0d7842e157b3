/* SPDX-License-Identifier: Apache-2.0 */
/* The forms of a variable:
 *
 *     ${NAME}            the value of NAME, or nothing
 *     ${NAME:=default}   the value of NAME, or `default` if NAME is undefined or empty; likewise with :-
 *     $${NAME}           the characters ${NAME} */
#include "cli/lint/lint_values.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/parts.h"

static const char signed_part[] = "spec.release";

struct fill {
    const json_t *values; /* NULL: only look for the first variable */
    const struct hf_lint_values_report *report;
    char *first; /* or NULL; without values: HF_LINT_VALUES_NAME bytes, "" until a variable is found */
    struct hf_err *err;
    char path[600];
};

/* "${NAME...}" in a text. */
struct variable {
    char name[HF_LINT_VALUES_NAME];
    struct hf_view fallback; /* p is NULL: none */
    bool known_form;
    const char *end; /* behind the '}' */
};

static bool is_name(char c, bool first)
{
    return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (!first && c >= '0' && c <= '9');
}

/* Reads the variable at `at`, which points at "${". Returns false for other text. */
static bool read_variable(const char *at, struct variable *ret)
{
    const char *close = strchr(at, '}'), *name = at + 2;
    size_t n = 0;

    while (is_name(name[n], n == 0))
        n++;
    if (n == 0 || close == NULL)
        return false;
    *ret = (struct variable){.known_form = close == name + n, .end = close + 1};
    (void)snprintf(ret->name, sizeof(ret->name), "%.*s", (int)HF_MIN(n, sizeof(ret->name)), name);
    if (name[n] == ':' && (name[n + 1] == '=' || name[n + 1] == '-')) {
        ret->fallback = (struct hf_view){name + n + 2, (size_t)(close - (name + n + 2))};
        ret->known_form = true;
    }
    return true;
}

static int report(struct fill *fill, const char *text)
{
    return fill->report->fault(fill->report->arg, fill->path, text, fill->err);
}

static int put_value(struct fill *fill, const struct variable *variable, struct hf_buf *out)
{
    const char *value = json_string_value(json_object_get(fill->values, variable->name));
    char text[200];
    int r = 0;

    if (!variable->known_form) {
        (void)snprintf(text, sizeof(text), "lint knows ${%s} and ${%s:=default}; only Flux can fill in this form of it",
                       variable->name, variable->name);
        return report(fill, text);
    }
    if (variable->fallback.p != NULL && (value == NULL || value[0] == '\0'))
        return hf_buf_add(out, variable->fallback.p, variable->fallback.n);
    if (value == NULL) {
        (void)snprintf(text, sizeof(text), "'${%s}' has no value, and Flux leaves nothing of it: --substitute %s=VALUE",
                       variable->name, variable->name);
        r = report(fill, text);
    }
    return r == 0 && value != NULL ? hf_buf_add_str(out, value) : r;
}

/* Adds `text` to `out` with its variables filled in; *ret_any: there were some. Without values, notes the first. */
static int fill_text(struct fill *fill, const char *text, struct hf_buf *out, bool *ret_any)
{
    struct variable variable;
    int r = 0;

    while (r == 0 && *text != '\0') {
        size_t plain = strcspn(text, "$");
        r = hf_buf_add(out, text, plain);
        text += plain;
        if (r < 0 || *text == '\0')
            break;
        if (strncmp(text, "$${", 3) == 0) {
            r = hf_buf_add_str(out, "${");
            text += 3;
            *ret_any = true;
        } else if (text[1] != '{' || !read_variable(text, &variable)) {
            r = hf_buf_add(out, text++, 1);
        } else {
            *ret_any = true;
            if (fill->first == NULL)
                r = put_value(fill, &variable, out);
            else if (fill->first[0] == '\0')
                (void)snprintf(fill->first, HF_LINT_VALUES_NAME, "%s", variable.name);
            text = variable.end;
        }
    }
    return r;
}

/* A text that YAML writes without quotes. */
static bool is_plain(const char *text)
{
    _cleanup_(hf_json_freep) json_t *value = NULL;

    return hf_yaml_parse(hf_view_of(text), NULL, &value, NULL) == 0 && json_is_string(value) &&
           strcmp(json_string_value(value), text) == 0;
}

/* Reads a filled-in text as the value of a field. Flux writes `before` as YAML, fills it in, and reads that: what had
 * quotes before stays a string. */
static json_t *read_again(const char *before, const struct hf_buf *text)
{
    json_t *value = NULL;
    bool is_flow = text->n > 0 && (text->p[0] == '[' || text->p[0] == '{');

    if (text->n == 0 || !is_plain(before) || hf_yaml_parse(hf_buf_view(text), NULL, &value, NULL) < 0)
        value = NULL;
    if (value != NULL && !is_flow && (json_is_object(value) || json_is_array(value))) {
        json_decref(value);
        value = NULL;
    }
    return value != NULL ? value : json_stringn(hf_buf_str(text), text->n);
}

/* Fills in a field, or its name, at fill->path. Returns 1 if `out` has the new text, 0 if it stays, also without
 * values. */
static int fill_at_path(struct fill *fill, const char *text, struct hf_buf *out)
{
    size_t n = strlen(signed_part);
    bool any = false;
    int r = fill_text(fill, text, out, &any);

    if (r < 0 || !any || fill->values == NULL)
        return r;
    if (strncmp(fill->path, signed_part, n) == 0 && (fill->path[n] == '.' || fill->path[n] == '\0'))
        return report(fill, "is signed: nodes refuse a release in which Flux fills something in");
    return 1;
}

/* The value that takes the place of a string; NULL: it stays. */
static int fill_string(struct fill *fill, const json_t *string, json_t **ret_new)
{
    _cleanup_(hf_buf_done) struct hf_buf out = HF_BUF_INIT(HF_CLI_OBJECT_BYTES);
    int r = fill_at_path(fill, json_string_value(string), &out);

    if (r <= 0)
        return r;
    *ret_new = read_again(json_string_value(string), &out);
    return *ret_new != NULL ? 0 : -ENOMEM;
}

static int fill_value(struct fill *fill, json_t *value, json_t **ret_new);

/* Flux fills in the text of the whole object, so the names of fields, too. */
static int fill_member(struct fill *fill, const char *key, json_t *value, json_t *to)
{
    _cleanup_(hf_buf_done) struct hf_buf name = HF_BUF_INIT(HF_CLI_OBJECT_BYTES);
    json_t *new = NULL;
    int r = fill_at_path(fill, key, &name);

    if (r > 0)
        key = hf_buf_str(&name);
    if (r >= 0)
        r = fill_value(fill, value, &new);
    if (r == 0 && json_object_get(to, key) != NULL)
        r = report(fill, "has the name of another field when the values are filled in");
    if (r == 0 && json_object_set(to, key, new != NULL ? new : value) < 0)
        r = -ENOMEM;
    json_decref(new);
    return r;
}

static int fill_members(struct fill *fill, json_t *object)
{
    _cleanup_(hf_json_freep) json_t *filled = json_object();
    size_t n = strlen(fill->path);
    const char *key;
    json_t *value;
    int r = filled != NULL ? 0 : -ENOMEM;

    json_object_foreach(object, key, value) {
        if (r < 0)
            break;
        (void)snprintf(fill->path + n, sizeof(fill->path) - n, "%s%s", n > 0 ? "." : "", key);
        if (fill->values != NULL || strcmp(fill->path, signed_part) != 0)
            r = fill_member(fill, key, value, filled);
        fill->path[n] = '\0';
    }
    if (r < 0 || fill->values == NULL)
        return r;
    (void)json_object_clear(object);
    return json_object_update(object, filled) < 0 ? -ENOMEM : 0;
}

static int fill_items(struct fill *fill, json_t *array)
{
    size_t n = strlen(fill->path);
    int r = 0;

    for (size_t i = 0; r == 0 && i < json_array_size(array); i++) {
        json_t *new = NULL;
        (void)snprintf(fill->path + n, sizeof(fill->path) - n, "[%zu]", i);
        r = fill_value(fill, json_array_get(array, i), &new);
        if (new != NULL && json_array_set_new(array, i, new) < 0)
            r = -ENOMEM;
        fill->path[n] = '\0';
    }
    return r;
}

/* As deep as the parser allows (hf_json_limits). */
static int fill_value(struct fill *fill, json_t *value, json_t **ret_new)
{
    if (json_is_string(value))
        return fill_string(fill, value, ret_new);
    if (json_is_object(value))
        return fill_members(fill, value);
    return json_is_array(value) ? fill_items(fill, value) : 0;
}

static bool is_disabled(const json_t *object)
{
    static const char *const places[] = {"metadata.annotations", "metadata.labels"};
    bool disabled = false;

    for (size_t i = 0; i < HF_LEN(places); i++) {
        const json_t *marks = hf_json_at(object, places[i]);
        const char *mark = json_string_value(json_object_get(marks, "kustomize.toolkit.fluxcd.io/substitute"));
        disabled = disabled || (mark != NULL && strcmp(mark, "disabled") == 0);
    }
    return disabled;
}

int hf_lint_values_read(const struct hf_cli_args *args, json_t **ret_values, struct hf_err *err)
{
    _cleanup_(hf_json_freep) json_t *values = json_object();

    if (values == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    for (size_t i = 0; i < hf_cli_count(args, "substitute"); i++) {
        const char *text = hf_cli_nth_value(args, "substitute", i);
        size_t n = 0;
        while (is_name(text[n], n == 0))
            n++;
        if (n == 0 || n >= HF_LINT_VALUES_NAME || text[n] != '=')
            return hf_err_set(err, EINVAL, "--substitute '%.80s': expected NAME=VALUE", text);
        char name[HF_LINT_VALUES_NAME];
        memcpy(name, text, n);
        name[n] = '\0';
        if (json_object_set_new(values, name, json_string(text + n + 1)) < 0)
            return hf_err_set(err, EINVAL, "--substitute '%.80s': not UTF-8, or out of memory", text);
    }
    if (json_object_size(values) > 0)
        *ret_values = hf_steal(values);
    return 0;
}

bool hf_lint_values_find(const json_t *object, char name[HF_LINT_VALUES_NAME])
{
    struct fill fill = {.first = name};

    name[0] = '\0';
    if (!is_disabled(object))
        (void)fill_value(&fill, hf_json_mutable(object), &(json_t *){NULL});
    return name[0] != '\0';
}

int hf_lint_values_fill(json_t *object, const json_t *values, const struct hf_lint_values_report *report,
                        struct hf_err *err)
{
    struct fill fill = {.values = values, .report = report, .err = err};
    int r = is_disabled(object) ? 0 : fill_value(&fill, object, &(json_t *){NULL});

    return r == -ENOMEM || r == -E2BIG ? hf_err_set(err, -r, "the values make the object too large") : r;
}
