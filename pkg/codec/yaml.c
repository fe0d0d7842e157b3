/* SPDX-License-Identifier: Apache-2.0 */
/* Builds a JSON tree from libyaml's events, with a stack of its own: no recursion, and it checks every limit before it
 * makes the event's value.
 *
 *   frames   [0] the array of documents > open mapping or sequence > ...; a mapping also holds a key
 *            that waits for its value
 *   anchors  name -> finished value. An alias adds the nodes and the bytes to the counts, which stops a bomb before
 *            memory is spent on it, and then puts in a deep copy (others edit the tree later, and a shared value would
 *            surprise them). No value can hold itself: an anchor exists only once its value is finished. */
#include <errno.h>
#include <string.h>
#include <yaml.h>

#include "base/strmap.h"
#include "codec/json.h"
#include "codec/scan.h"
#include "codec/yaml_scalar.h"

#define CORE_TAG "tag:yaml.org,2002:"
enum { MAX_ANCHORS = 1000, MAX_TAG_DIRECTIVES = 16 };

struct yaml_frame {
    json_t *json;    /* owned */
    char *key;       /* mapping: the key read last, owned; NULL when a key comes next */
    char *anchor;    /* owned; NULL when the value has none */
    size_t nodes;    /* values so far in here, this one included */
    size_t bytes;    /* of the scalars and the keys so far in here */
    unsigned height; /* levels of containers in here, this one included */
};

struct yaml_anchored {
    json_t *json;
    size_t nodes;
    size_t bytes;
    unsigned height;
};

struct yaml_reader {
    yaml_parser_t parser;
    struct hf_json_limits limits;
    struct hf_err *err;
    struct yaml_frame *frames; /* limits.max_depth + 1 of them */
    size_t n_frames;
    size_t nodes;
    size_t bytes;             /* of the scalars and the keys, for which limits.max_bytes is a limit too */
    struct hf_strmap anchors; /* values: struct yaml_anchored */
};

/* A finished value that has no place yet. */
struct yaml_value {
    json_t *json;
    size_t nodes;
    size_t bytes;
    unsigned height;
    yaml_mark_t mark;
};

/* No message quotes the text: a value, and what looks like a tag, an alias or a key, may be a password. */
static int fail(const struct yaml_reader *reader, yaml_mark_t mark, int code, const char *what)
{
    return hf_err_set(reader->err, code, "line %zu column %zu: %s", mark.line + 1, mark.column + 1, what);
}

static int out_of_memory(const struct yaml_reader *reader)
{
    return hf_err_set(reader->err, ENOMEM, "not enough memory for the YAML tree");
}

static int count(struct yaml_reader *reader, yaml_mark_t mark, size_t nodes, size_t bytes)
{
    if (nodes > reader->limits.max_nodes - reader->nodes)
        return hf_err_set(reader->err, E2BIG, "line %zu column %zu: more than %zu values (aliases count expanded)",
                          mark.line + 1, mark.column + 1, reader->limits.max_nodes);
    if (bytes > reader->limits.max_bytes - reader->bytes)
        return hf_err_set(reader->err, E2BIG,
                          "line %zu column %zu: more than %zu bytes in keys and values (aliases count expanded)",
                          mark.line + 1, mark.column + 1, reader->limits.max_bytes);
    reader->nodes += nodes;
    reader->bytes += bytes;
    return 0;
}

/* ---- anchors ----------------------------------------------------------------------------------------------------- */

static void free_anchored(void *pointer)
{
    struct yaml_anchored *anchored = pointer;

    json_decref(anchored->json);
    free(anchored);
}

static int remember(struct yaml_reader *reader, const char *anchor, const struct yaml_value *value)
{
    struct yaml_anchored *anchored;

    if (anchor == NULL)
        return 0;
    if (reader->anchors.n >= MAX_ANCHORS)
        return hf_err_set(reader->err, E2BIG, "line %zu column %zu: more than %d anchors", value->mark.line + 1,
                          value->mark.column + 1, MAX_ANCHORS);
    anchored = malloc(sizeof(*anchored));
    if (anchored == NULL)
        return out_of_memory(reader);
    *anchored = (struct yaml_anchored){json_incref(value->json), value->nodes, value->bytes, value->height};
    if (hf_strmap_put(&reader->anchors, anchor, anchored) < 0) {
        free_anchored(anchored);
        return out_of_memory(reader);
    }
    return 0;
}

/* ---- placing values ----------------------------------------------------------------------------- */

/* A key must be a string: true, 1 and the like need quotes, so that no reader's spelling of them matters. */
static int take_key(struct yaml_reader *reader, struct yaml_frame *frame, const struct yaml_value *value)
{
    const char *key = json_string_value(value->json);

    if (key == NULL)
        return fail(reader, value->mark, EBADMSG, "a key must be a string: quote it");
    if (json_object_get(frame->json, key) != NULL)
        return fail(reader, value->mark, EBADMSG, "duplicate key");
    frame->key = strdup(key);
    return frame->key != NULL ? 0 : out_of_memory(reader);
}

/* Takes value->json over, also on failure. */
static int place(struct yaml_reader *reader, struct yaml_value *value)
{
    struct yaml_frame *frame = &reader->frames[reader->n_frames - 1];
    _cleanup_(hf_json_freep) json_t *json = value->json;
    int failed;

    frame->bytes += value->bytes;
    if (json_is_object(frame->json) && frame->key == NULL)
        return take_key(reader, frame, value);
    frame->nodes += value->nodes;
    frame->height = HF_MAX(frame->height, value->height + 1);
    if (json_is_array(frame->json)) {
        failed = json_array_append_new(frame->json, hf_steal(json));
    } else {
        failed = json_object_set_new(frame->json, frame->key, hf_steal(json));
        free(frame->key);
        frame->key = NULL;
    }
    return failed ? out_of_memory(reader) : 0;
}

static bool key_comes_next(const struct yaml_reader *reader)
{
    const struct yaml_frame *frame = &reader->frames[reader->n_frames - 1];

    return json_is_object(frame->json) && frame->key == NULL;
}

static int open_container(struct yaml_reader *reader, yaml_mark_t mark, json_t *fresh, const char *anchor)
{
    _cleanup_(hf_json_freep) json_t *json = fresh;

    if (json == NULL)
        return out_of_memory(reader);
    if (key_comes_next(reader))
        return fail(reader, mark, EBADMSG, "a key must be a string, not a mapping or a list");
    if (reader->n_frames > reader->limits.max_depth)
        return hf_err_set(reader->err, E2BIG, "line %zu column %zu: nested more than %u", mark.line + 1,
                          mark.column + 1, reader->limits.max_depth);
    int r = count(reader, mark, 1, 0);
    if (r < 0)
        return r;
    struct yaml_frame *frame = &reader->frames[reader->n_frames++];
    *frame = (struct yaml_frame){.json = hf_steal(json), .nodes = 1, .height = 1};
    if (anchor != NULL && (frame->anchor = strdup(anchor)) == NULL)
        return out_of_memory(reader);
    return 0;
}

static int close_container(struct yaml_reader *reader, yaml_mark_t mark)
{
    struct yaml_frame *frame = &reader->frames[--reader->n_frames];
    _cleanup_(hf_freep) char *anchor = frame->anchor;
    struct yaml_value value = {frame->json, frame->nodes, frame->bytes, frame->height, mark};
    int r = remember(reader, anchor, &value);

    if (r < 0) {
        json_decref(value.json);
        return r;
    }
    return place(reader, &value);
}

/* ---- events ------------------------------------------------------------------------------------------------------ */

static bool tag_is(const char *tag, const char *core)
{
    return strncmp(tag, CORE_TAG, strlen(CORE_TAG)) == 0 && strcmp(tag + strlen(CORE_TAG), core) == 0;
}

static int check_container_tag(const struct yaml_reader *reader, yaml_mark_t mark, const char *tag, const char *core)
{
    if (tag == NULL || tag_is(tag, core) || strcmp(tag, "!") == 0)
        return 0;
    return fail(reader, mark, EBADMSG, "unsupported tag");
}

/* Makes the value of a plain scalar. `only`: the core type that a tag asks for, NULL any. */
static int make_plain(struct yaml_reader *reader, yaml_mark_t mark, const char *text, const char *only, json_t **ret)
{
    int64_t integer = 0;
    double real = 0;
    const char *is = NULL;
    json_t *json = NULL;

    switch (hf_yaml_scalar_meaning(text, &integer, &real)) {
    case HF_YAML_NULL:
        is = "null", json = json_null();
        break;
    case HF_YAML_TRUE:
        is = "bool", json = json_true();
        break;
    case HF_YAML_FALSE:
        is = "bool", json = json_false();
        break;
    case HF_YAML_INTEGER:
        is = "int", json = json_integer(integer);
        break;
    case HF_YAML_REAL:
        is = "float", json = json_real(real);
        break;
    case HF_YAML_OCTAL_LOOKING:
        return fail(reader, mark, EBADMSG, "this looks octal: write it in quotes, or without the zero in front");
    case HF_YAML_NOT_FINITE:
        return fail(reader, mark, EBADMSG, "not a finite number");
    case HF_YAML_TOO_BIG:
        return fail(reader, mark, EBADMSG, "number out of range");
    case HF_YAML_STRING:
    default:
        is = "str", json = json_string(text);
        break;
    }
    _cleanup_(hf_json_freep) json_t *made = json;
    if (made == NULL)
        return out_of_memory(reader);
    if (only != NULL && strcmp(only, is) != 0)
        return fail(reader, mark, EBADMSG, "this value does not fit its tag");
    *ret = hf_steal(made);
    return 0;
}

static int make_scalar(struct yaml_reader *reader, const yaml_event_t *event, json_t **ret)
{
    const char *text = (const char *)event->data.scalar.value, *tag = (const char *)event->data.scalar.tag;
    size_t n = event->data.scalar.length;
    bool plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    static const char *const typed[] = {"null", "bool", "int", "float"};

    if (memchr(text, '\0', n) != NULL)
        return fail(reader, event->start_mark, EBADMSG, "a string must not hold a zero byte");
    if (tag == NULL && plain && key_comes_next(reader) && strcmp(text, "<<") == 0)
        return fail(reader, event->start_mark, EBADMSG, "merge keys ('<<') are not supported");
    if (tag == NULL && plain)
        return make_plain(reader, event->start_mark, text, NULL, ret);
    for (size_t i = 0; tag != NULL && i < HF_LEN(typed); i++)
        if (tag_is(tag, typed[i]))
            return make_plain(reader, event->start_mark, text, typed[i], ret);
    if (tag != NULL && !tag_is(tag, "str") && strcmp(tag, "!") != 0)
        return fail(reader, event->start_mark, EBADMSG, "unsupported tag");
    *ret = json_stringn(text, n);
    return *ret != NULL ? 0 : out_of_memory(reader);
}

/* True for the nothing between two "---", which is not a document. */
static bool is_nothing(const struct yaml_reader *reader, const yaml_event_t *event)
{
    return reader->n_frames == 1 && event->data.scalar.length == 0 && event->data.scalar.tag == NULL &&
           event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
}

static int on_scalar(struct yaml_reader *reader, const yaml_event_t *event)
{
    struct yaml_value value = {.nodes = 1, .bytes = event->data.scalar.length, .mark = event->start_mark};
    int r;

    if (is_nothing(reader, event))
        return 0;
    r = count(reader, event->start_mark, key_comes_next(reader) ? 0 : 1, value.bytes);
    if (r == 0)
        r = make_scalar(reader, event, &value.json);
    if (r < 0)
        return r;
    r = remember(reader, (const char *)event->data.scalar.anchor, &value);
    if (r < 0) {
        json_decref(value.json);
        return r;
    }
    return place(reader, &value);
}

static int on_alias(struct yaml_reader *reader, const yaml_event_t *event)
{
    const char *name = (const char *)event->data.alias.anchor;
    const struct yaml_anchored *anchored = hf_strmap_get(&reader->anchors, name);
    struct yaml_value value = {.mark = event->start_mark};
    int r;

    if (anchored == NULL)
        return fail(reader, event->start_mark, EBADMSG, "alias without a complete anchor before it");
    if (reader->n_frames - 1 + anchored->height > reader->limits.max_depth)
        return fail(reader, event->start_mark, E2BIG, "this alias nests too deeply");
    r = count(reader, event->start_mark, anchored->nodes, anchored->bytes);
    if (r < 0)
        return r;
    value.json = json_deep_copy(anchored->json);
    value.nodes = anchored->nodes;
    value.bytes = anchored->bytes;
    value.height = anchored->height;
    return value.json != NULL ? place(reader, &value) : out_of_memory(reader);
}

static int on_event(struct yaml_reader *reader, const yaml_event_t *event)
{
    int r;

    switch (event->type) {
    case YAML_SCALAR_EVENT:
        return on_scalar(reader, event);
    case YAML_ALIAS_EVENT:
        return on_alias(reader, event);
    case YAML_MAPPING_START_EVENT:
        r = check_container_tag(reader, event->start_mark, (const char *)event->data.mapping_start.tag, "map");
        return r < 0 ? r
                     : open_container(reader, event->start_mark, json_object(),
                                      (const char *)event->data.mapping_start.anchor);
    case YAML_SEQUENCE_START_EVENT:
        r = check_container_tag(reader, event->start_mark, (const char *)event->data.sequence_start.tag, "seq");
        return r < 0 ? r
                     : open_container(reader, event->start_mark, json_array(),
                                      (const char *)event->data.sequence_start.anchor);
    case YAML_MAPPING_END_EVENT:
    case YAML_SEQUENCE_END_EVENT:
        return close_container(reader, event->start_mark);
    case YAML_DOCUMENT_END_EVENT:
        hf_strmap_done(&reader->anchors); /* an anchor ends with its document */
        return 0;
    case YAML_NO_EVENT:
    case YAML_STREAM_START_EVENT:
    case YAML_STREAM_END_EVENT:
    case YAML_DOCUMENT_START_EVENT:
    default:
        return 0;
    }
}

static int parser_failed(const struct yaml_reader *reader)
{
    const yaml_parser_t *parser = &reader->parser;
    const char *problem = parser->problem != NULL ? parser->problem : "not YAML";

    if (parser->error == YAML_MEMORY_ERROR)
        return out_of_memory(reader);
    if (parser->error == YAML_READER_ERROR)
        return hf_err_set(reader->err, EBADMSG, "byte %zu: %s", parser->problem_offset, problem);
    if (parser->context != NULL)
        return hf_err_set(reader->err, EBADMSG, "line %zu column %zu: %s, %s", parser->problem_mark.line + 1,
                          parser->problem_mark.column + 1, problem, parser->context);
    return fail(reader, parser->problem_mark, EBADMSG, problem);
}

static int read_events(struct yaml_reader *reader)
{
    for (bool end = false; !end;) {
        yaml_event_t event;
        int r;

        if (!yaml_parser_parse(&reader->parser, &event))
            return parser_failed(reader);
        end = event.type == YAML_STREAM_END_EVENT;
        r = on_event(reader, &event);
        yaml_event_delete(&event);
        if (r < 0)
            return r;
    }
    return 0;
}

static void reader_done(struct yaml_reader *reader)
{
    for (size_t i = 0; i < reader->n_frames; i++) {
        json_decref(reader->frames[i].json);
        free(reader->frames[i].key);
        free(reader->frames[i].anchor);
    }
    free(reader->frames);
    hf_strmap_done(&reader->anchors);
    yaml_parser_delete(&reader->parser);
}

/* True where a directive may begin: at the start, or behind the last byte of a line break (U+0085, U+2028 and U+2029
 * too) or of a byte order mark. */
static bool begins_line(const char *at, const char *start)
{
    return at == start || strchr("\n\r\x85\xa8\xa9\xbf", at[-1]) != NULL;
}

/* libyaml compares every %TAG directive with every other, so a megabyte of them takes minutes. Our objects need
 * none. */
static bool has_many_directives(struct hf_view text)
{
    const char *at = text.p, *end = text.p + text.n;
    int n = 0;

    while (text.n > 0 && n <= MAX_TAG_DIRECTIVES && (at = memmem(at, (size_t)(end - at), "%TAG", 4)) != NULL) {
        n += begins_line(at, text.p);
        at += 4;
    }
    return n > MAX_TAG_DIRECTIVES;
}

static int reader_init(struct yaml_reader *reader, struct hf_view text, const struct hf_json_limits *limits,
                       struct hf_err *err)
{
    struct hf_json_limits full = limits != NULL ? *limits : (struct hf_json_limits){0};

    full.max_bytes = full.max_bytes != 0 ? full.max_bytes : HF_JSON_MAX_BYTES;
    full.max_depth = full.max_depth != 0 ? full.max_depth : HF_JSON_MAX_DEPTH;
    full.max_nodes = full.max_nodes != 0 ? full.max_nodes : HF_JSON_MAX_NODES;
    *reader = (struct yaml_reader){.limits = full, .err = err, .anchors = {.free_value = free_anchored}};
    if (text.n > full.max_bytes)
        return hf_err_set(err, E2BIG, "YAML text of %zu bytes, the limit is %zu", text.n, full.max_bytes);
    if (has_many_directives(text))
        return hf_err_set(err, E2BIG, "more than %d %%TAG directives", MAX_TAG_DIRECTIVES);
    reader->frames = calloc((size_t)full.max_depth + 1, sizeof(*reader->frames));
    if (reader->frames == NULL || !yaml_parser_initialize(&reader->parser))
        return out_of_memory(reader);
    reader->frames[0].json = json_array();
    if (reader->frames[0].json == NULL)
        return out_of_memory(reader);
    reader->n_frames = 1;
    yaml_parser_set_encoding(&reader->parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&reader->parser, (const unsigned char *)(text.n > 0 ? text.p : ""), text.n);
    return 0;
}

/* Finds U+0085, U+2028, U+2029 or U+FEFF. Returns its offset, or text.n. YAML ends a line at the first three, and JSON
 * does not. */
static size_t find_unportable(struct hf_view text, unsigned *ret_point)
{
    static const struct {
        const char *bytes;
        size_t n;
        unsigned point;
    } rows[] = {
        {"\xc2\x85", 2, 0x85}, {"\xe2\x80\xa8", 3, 0x2028}, {"\xe2\x80\xa9", 3, 0x2029}, {"\xef\xbb\xbf", 3, 0xfeff}};

    for (size_t i = 0; i < text.n; i++)
        for (size_t k = 0; (unsigned char)text.p[i] >= 0xc2 && k < HF_LEN(rows); k++)
            if (rows[k].n <= text.n - i && memcmp(text.p + i, rows[k].bytes, rows[k].n) == 0) {
                *ret_point = rows[k].point;
                return i;
            }
    return text.n;
}

static int check_characters(struct hf_view text, struct hf_err *err)
{
    unsigned point = 0;
    size_t at = find_unportable(text, &point), line = 1, column = 1;

    if (at == text.n)
        return 0;
    for (size_t i = 0; i < at; i++) {
        column = text.p[i] == '\n' ? 1 : column + 1;
        line += text.p[i] == '\n';
    }
    return hf_err_set(err, EBADMSG,
                      "line %zu column %zu: U+%04X, which JSON and YAML do not read alike: write it as an escape in "
                      "double quotes",
                      line, column, point);
}

static int parse_events(struct hf_view text, const struct hf_json_limits *limits, json_t **ret_array,
                        struct hf_err *err)
{
    _cleanup_(reader_done) struct yaml_reader reader;
    int r = reader_init(&reader, text, limits, err);

    if (r == 0)
        r = check_characters(text, err);
    if (r == 0)
        r = read_events(&reader);
    if (r < 0)
        return r;
    *ret_array = json_incref(reader.frames[0].json);
    return 0;
}

/* Takes a text that is JSON as JSON, so that it means the same wherever it is read. 1: taken. 0: the text is not JSON.
 * -ENOMEM. */
static int take_json(struct hf_view text, const struct hf_json_limits *limits, json_t **ret_array)
{
    struct hf_view trimmed = hf_view_trim(text);
    json_t *json = NULL;

    if (trimmed.n == 0 || (trimmed.p[0] != '{' && trimmed.p[0] != '['))
        return 0;
    int r = hf_json_parse(text, limits, &json, NULL);
    if (r < 0)
        return r == -ENOMEM ? r : 0;
    *ret_array = json_array();
    if (*ret_array != NULL && json_array_append_new(*ret_array, json) == 0)
        return 1;
    json_decref(*ret_array);
    return -ENOMEM;
}

int hf_yaml_parse_all(struct hf_view text, const struct hf_json_limits *limits, json_t **ret_array, struct hf_err *err)
{
    size_t mark = hf_scan_mark_bytes(text);
    text = (struct hf_view){text.p + mark, text.n - mark};
    int taken = take_json(text, limits, ret_array);

    if (taken != 0)
        return taken > 0 ? 0 : hf_err_set(err, ENOMEM, "not enough memory for YAML");
    return parse_events(text, limits, ret_array, err);
}

int hf_yaml_parse(struct hf_view text, const struct hf_json_limits *limits, json_t **ret_json, struct hf_err *err)
{
    _cleanup_(hf_json_freep) json_t *documents = NULL;
    int r = hf_yaml_parse_all(text, limits, &documents, err);

    if (r < 0)
        return r;
    if (json_array_size(documents) == 0)
        return hf_err_set(err, EBADMSG, "no document in this YAML text");
    if (json_array_size(documents) > 1)
        return hf_err_set(err, EBADMSG, "%zu documents where one is expected", json_array_size(documents));
    *ret_json = json_incref(json_array_get(documents, 0));
    return 0;
}
