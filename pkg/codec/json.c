/* jansson reads the grammar; a scan before it bounds what jansson would otherwise allocate or recurse into. The scan need not
 * refuse bad text (jansson does, with a place): it only has to count at least as much as jansson will build. */
#include "codec/json.h"

#include <errno.h>
#include <string.h>

void hf_json_freep(json_t **json)
{
    json_decref(*json);
}

struct scan {
    struct hf_view text;
    size_t at;
    size_t line;
    size_t line_start;
};

static bool is_structure(char c)
{
    return memchr("{}[]:,\" \t\r\n", c, 11) != NULL;
}

static void skip_string(struct scan *scan)
{
    for (scan->at++; scan->at < scan->text.n && scan->text.p[scan->at] != '"'; scan->at++)
        if (scan->text.p[scan->at] == '\\')
            scan->at++;
    scan->at++;
}

static void skip_word(struct scan *scan)
{
    while (scan->at < scan->text.n && !is_structure(scan->text.p[scan->at]))
        scan->at++;
}

static int too_much(const struct scan *scan, struct hf_err *err, const char *what, size_t limit)
{
    return hf_err_set(err, E2BIG, "line %zu column %zu: %s more than %zu", scan->line, scan->at - scan->line_start + 1,
                      what, limit);
}

/* Count values (keys are counted as strings and taken off at their colon) and depth. */
static int check_limits(struct hf_view text, const struct hf_json_limits *limits, struct hf_err *err)
{
    struct scan scan = {.text = text, .line = 1};
    size_t strings_and_values = 0, colons = 0, depth = 0;

    while (scan.at < text.n) {
        char c = text.p[scan.at];

        if (c == '{' || c == '[') {
            if (++depth > limits->max_depth)
                return too_much(&scan, err, "nested", limits->max_depth);
        } else if (c == '}' || c == ']') {
            depth -= depth > 0;
        } else if (c == ':') {
            colons += colons < strings_and_values;
        } else if (c == '\n') {
            scan.line++;
            scan.line_start = scan.at + 1;
        }
        if (c == '"' || c == '{' || c == '[' || !is_structure(c)) {
            strings_and_values++;
            if (strings_and_values - colons - (c == '"') > limits->max_nodes) /* a string may turn out to be a key */
                return too_much(&scan, err, "values", limits->max_nodes);
        }
        if (c == '"')
            skip_string(&scan);
        else if (is_structure(c))
            scan.at++;
        else
            skip_word(&scan);
    }
    if (strings_and_values - colons > limits->max_nodes)
        return too_much(&scan, err, "values", limits->max_nodes);
    return 0;
}

static struct hf_json_limits with_defaults(const struct hf_json_limits *limits)
{
    struct hf_json_limits full = limits != NULL ? *limits : (struct hf_json_limits){0};

    if (full.max_bytes == 0)
        full.max_bytes = HF_JSON_MAX_BYTES;
    if (full.max_depth == 0)
        full.max_depth = HF_JSON_MAX_DEPTH;
    if (full.max_nodes == 0)
        full.max_nodes = HF_JSON_MAX_NODES;
    return full;
}

/* jansson ends its texts with " near '<input>'": cut off. */
static int tell_error(json_error_t *error, struct hf_err *err)
{
    char *near = strstr(error->text, " near '");

    /* Running out of memory, jansson often says nothing at all. */
    if (json_error_code(error) == json_error_out_of_memory || error->text[0] == '\0')
        return hf_err_set(err, ENOMEM, "not enough memory for the JSON tree");
    if (near != NULL)
        *near = '\0';
    if (error->line < 1)
        return hf_err_set(err, EBADMSG, "%s", error->text);
    return hf_err_set(err, EBADMSG, "line %d column %d: %s", error->line, error->column, error->text);
}

int hf_json_parse(struct hf_view text, const struct hf_json_limits *limits, json_t **ret_json, struct hf_err *err)
{
    struct hf_json_limits full = with_defaults(limits);
    json_error_t error;
    int r;

    if (text.n > full.max_bytes)
        return hf_err_set(err, E2BIG, "JSON text of %zu bytes, at most %zu are read", text.n, full.max_bytes);
    r = check_limits(text, &full, err);
    if (r < 0)
        return r;
    json_t *json = json_loadb(text.n > 0 ? text.p : "", text.n, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
    if (json == NULL)
        return tell_error(&error, err);
    *ret_json = json;
    return 0;
}

struct dump {
    struct hf_buf *out;
    int r;
};

static int add_piece(const char *bytes, size_t n, void *arg)
{
    struct dump *dump = arg;

    dump->r = hf_buf_add(dump->out, bytes, n);
    return dump->r;
}

int hf_json_format(const json_t *json, struct hf_buf *out)
{
    struct dump dump = {.out = out};
    size_t before = out->n;

    if (json_dump_callback(json, add_piece, &dump, JSON_COMPACT | JSON_ENCODE_ANY) == 0)
        return 0;
    out->n = before;
    if (out->p != NULL)
        out->p[before] = '\0';
    return dump.r < 0 ? dump.r : -EINVAL;
}

/* ---- paths ------------------------------------------------------------------------------------------------------- */

const json_t *hf_json_at(const json_t *root, const char *path)
{
    struct hf_view rest = hf_view_of(path), key;

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

/* The object under `key`, made when absent; borrowed. */
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
