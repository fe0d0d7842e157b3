/* SPDX-License-Identifier: Apache-2.0 */
/* Builds trees from the pieces that codec/scan.h reads, with a stack of its own: no recursion. jansson only holds the
 * trees. Checks limits before it makes a value, so a text costs no more than its limits allow. */
#include "codec/json.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "codec/scan.h"

static void wiping_free(void *memory)
{
    if (memory != NULL)
        explicit_bzero(memory, malloc_usable_size(memory));
    free(memory);
}

void hf_json_wipe_freed(void)
{
    json_set_alloc_funcs(malloc, wiping_free);
}

void hf_json_freep(json_t **json)
{
    json_decref(*json);
}

/* ---- reading ----------------------------------------------------------------------------------------------------- */

struct tree_builder {
    struct hf_scan scan;
    struct hf_json_limits limits;
    struct hf_err *err;
    struct hf_buf resolved; /* a key or string without its escapes */
    json_t *root;           /* owned */
    json_t *open[HF_SCAN_MAX_DEPTH];
    unsigned depth;
    size_t nodes;
};

static struct hf_json_limits with_defaults(const struct hf_json_limits *limits)
{
    struct hf_json_limits full = limits != NULL ? *limits : (struct hf_json_limits){0};

    if (full.max_bytes == 0)
        full.max_bytes = HF_JSON_MAX_BYTES;
    if (full.max_depth == 0 || full.max_depth > HF_JSON_MAX_DEPTH)
        full.max_depth = HF_JSON_MAX_DEPTH;
    if (full.max_nodes == 0)
        full.max_nodes = HF_JSON_MAX_NODES;
    return full;
}

/* An error with the line and column (in bytes) of `at`. */
static int fail_at(const struct tree_builder *builder, size_t at, int code, const char *what)
{
    const char *text = builder->scan.text.p;
    size_t line = 1, line_start = 0;

    for (size_t i = 0; i < at; i++)
        if (text[i] == '\n') {
            line++;
            line_start = i + 1;
        }
    return hf_err_set(builder->err, code, "line %zu column %zu: %s", line, at - line_start + 1, what);
}

static int fail_limit(const struct tree_builder *builder, size_t at, const char *what, size_t limit)
{
    char text[64];

    (void)snprintf(text, sizeof(text), "%s %zu", what, limit);
    return fail_at(builder, at, E2BIG, text);
}

static int out_of_memory(const struct tree_builder *builder)
{
    return hf_err_set(builder->err, ENOMEM, "not enough memory for the JSON tree");
}

/* The scan has failed. */
static int fail_scan(const struct tree_builder *builder)
{
    const struct hf_scan *scan = &builder->scan;

    if (scan->code == -ENOMEM)
        return out_of_memory(builder);
    if (scan->code == -E2BIG)
        return fail_limit(builder, scan->at, "nested more than", builder->limits.max_depth);
    return fail_at(builder, scan->at, -scan->code, scan->what);
}

/* A key or a string: without its escapes if it has any. */
static int resolve(struct tree_builder *builder, struct hf_view *text, bool escaped)
{
    if (!escaped)
        return 0;
    hf_buf_clear(&builder->resolved);
    if (hf_buf_reserve(&builder->resolved, text->n) < 0)
        return out_of_memory(builder);
    *text = (struct hf_view){builder->resolved.p, hf_scan_unescape(*text, builder->resolved.p)};
    return 0;
}

static json_t *make_number(struct hf_view text)
{
    int64_t integer;

    return hf_scan_i64(text, &integer) ? json_integer(integer) : json_real(hf_scan_double(text));
}

static int make_value(struct tree_builder *builder, const struct hf_scan_item *item, json_t **ret_json)
{
    struct hf_view text = item->value.text;
    json_t *json = NULL;
    int r;

    switch (item->type) {
    case HF_SCAN_OBJECT:
        json = json_object();
        break;
    case HF_SCAN_ARRAY:
        json = json_array();
        break;
    case HF_SCAN_STRING:
        r = resolve(builder, &text, item->value.escaped);
        if (r < 0)
            return r;
        json = json_stringn_nocheck(text.p, text.n); /* the scan has checked its UTF-8 */
        break;
    case HF_SCAN_NUMBER:
        json = make_number(text);
        break;
    case HF_SCAN_TRUE:
    case HF_SCAN_FALSE:
        json = json_boolean(item->type == HF_SCAN_TRUE);
        break;
    case HF_SCAN_NULL:
    default:
        json = json_null();
    }
    *ret_json = json;
    return json != NULL ? 0 : out_of_memory(builder);
}

/* Puts `json` (taken over, also on failure) into the innermost open container, or makes it the root. */
static int place(struct tree_builder *builder, const struct hf_scan_item *item, json_t *json)
{
    struct hf_view name = item->name;
    int failed;

    if (builder->depth == 0) {
        builder->root = json;
        return 0;
    }
    json_t *container = builder->open[builder->depth - 1];
    if (item->named) {
        int r = resolve(builder, &name, item->name_escaped);
        if (r < 0) {
            json_decref(json);
            return r;
        }
        failed = json_object_setn_new_nocheck(container, name.p, name.n, json);
    } else {
        failed = json_array_append_new(container, json);
    }
    return failed ? out_of_memory(builder) : 0;
}

/* `begin`: offset behind the piece before this one. */
static int take_piece(struct tree_builder *builder, const struct hf_scan_item *item, size_t begin)
{
    json_t *json = NULL;
    int r;

    if (builder->scan.zero)
        return fail_at(builder, builder->scan.at, EBADMSG, "U+0000 in a string or a name");
    if (item->piece == HF_SCAN_CLOSE) {
        builder->depth--;
        return 0;
    }
    if (builder->nodes++ == builder->limits.max_nodes)
        return fail_limit(builder, begin, "more values than", builder->limits.max_nodes);
    r = make_value(builder, item, &json);
    if (r == 0)
        r = place(builder, item, json);
    if (r == 0 && item->piece == HF_SCAN_OPEN)
        builder->open[builder->depth++] = json;
    return r;
}

static int build(struct tree_builder *builder)
{
    struct hf_scan_walk walk;
    struct hf_scan_item item;
    int r = 0, more;

    hf_scan_walk_init(&walk, &builder->scan, builder->limits.max_depth);
    do {
        size_t begin = builder->scan.at;
        more = hf_scan_walk_next(&walk, &item);
        if (more > 0)
            r = take_piece(builder, &item, begin);
    } while (more > 0 && r == 0);
    hf_scan_walk_done(&walk);
    if (r == 0 && (more < 0 || hf_scan_end(&builder->scan) < 0))
        r = fail_scan(builder);
    return r;
}

int hf_json_parse(struct hf_view text, const struct hf_json_limits *limits, json_t **ret_json, struct hf_err *err)
{
    struct tree_builder builder = {.limits = with_defaults(limits), .err = err, .resolved = HF_BUF_INIT(text.n)};

    if (text.n > builder.limits.max_bytes)
        return hf_err_set(err, E2BIG, "JSON text of %zu bytes, the limit is %zu", text.n, builder.limits.max_bytes);
    hf_scan_init(&builder.scan, text.n > 0 ? text : HF_VIEW(""));
    int r = build(&builder);
    hf_buf_done(&builder.resolved);
    if (r < 0) {
        json_decref(builder.root);
        return r;
    }
    *ret_json = builder.root;
    return 0;
}

/* ---- paths ------------------------------------------------------------------------------------------------------- */

const json_t *hf_json_at(const json_t *root, const char *path)
{
    struct hf_view rest = hf_view_of(path), key;

    if (memchr(rest.p, '.', rest.n) == NULL)
        return json_object_getn(root, rest.p, rest.n);
    while (root != NULL && hf_view_split(&rest, '.', &key))
        root = json_object_getn(root, key.p, key.n);
    return root;
}

const char *hf_json_str(const json_t *root, const char *path)
{
    return json_string_value(hf_json_at(root, path));
}

const char *hf_json_str_or(const json_t *root, const char *path, const char *fallback)
{
    const char *text = hf_json_str(root, path);

    return text != NULL ? text : fallback;
}

int64_t hf_json_int_or(const json_t *root, const char *path, int64_t fallback)
{
    const json_t *json = hf_json_at(root, path);

    return json_is_integer(json) ? json_integer_value(json) : fallback;
}

bool hf_json_bool_or(const json_t *root, const char *path, bool fallback)
{
    const json_t *json = hf_json_at(root, path);

    return json_is_boolean(json) ? json_is_true(json) : fallback;
}

/* Goes to the object under `key`, and makes it when it is absent. */
static int enter(json_t **object, struct hf_view key)
{
    json_t *inner = json_object_getn(*object, key.p, key.n);

    if (inner == NULL) {
        inner = json_object();
        if (json_object_setn_new(*object, key.p, key.n, inner) < 0)
            return -ENOMEM;
    }
    *object = inner;
    return json_is_object(inner) ? 0 : -ENOTDIR;
}

int hf_json_put(json_t *root, const char *path, json_t *value)
{
    _cleanup_(hf_json_freep) json_t *owned = value;
    struct hf_view rest = hf_view_of(path), key = {"", 0};

    if (value == NULL)
        return -ENOMEM;
    if (!json_is_object(root))
        return -ENOTDIR;
    (void)hf_view_split(&rest, '.', &key);
    while (rest.p != NULL) {
        int r = enter(&root, key);
        if (r < 0)
            return r;
        (void)hf_view_split(&rest, '.', &key);
    }
    return json_object_setn_new(root, key.p, key.n, hf_steal(owned)) < 0 ? -ENOMEM : 0;
}
