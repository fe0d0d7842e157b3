/* SPDX-License-Identifier: Apache-2.0 */
/* Mutations of signed EdgeUpdates, read in three ways: as JSON, as YAML, and as the API server sends them in a watch. A
 * mutated object is refused, or it means what was signed; and the three ways give one verdict.
 *
 * HF_MUTATIONS is the number of mutations (3000), and HF_MUTATION_FROM the number of the first one (0). The seed of a
 * mutation is its number: HF_MUTATION=N runs one and prints
 * it. */
#include <errno.h>
#include <inttypes.h>

#include "api/edgeupdate.h"
#include "base/encoding/utf8.h"
#include "codec/sha256.h"
#include "kube/rules/watch_stream.h"
#include "support/check_main.h"
#include "support/fakes/simfs.h"
#include "support/makers/signatures.h"
#include "trust/key.h"
#include "trust/trust.h"

enum { DEFAULT_MUTATIONS = 3000, PER_TEST = 500, MAX_TEXT = 1 << 20, MAX_PLACES = 1024 };

static const char *const files[] = {"good-full", "good-tree", "good-least", "good-unknown-fields",
                                    "good-index-beside-artifacts"};
enum { BASES = 5 };

struct base {
    json_t *object;
    char meaning[65];
};

static struct base bases[BASES];
static struct hf_simfs *disk;
static struct hf_buf private_pem, public_pem;

/* ---- what an object means ---------------------------------------------------------------------------------------- */

static void add(struct hf_buf *out, const char *name, const char *text)
{
    ck_assert_int_eq(hf_buf_addf(out, "%s=%s\n", name, text != NULL ? text : "(none)"), 0);
}

static void add_number(struct hf_buf *out, const char *name, uint64_t value)
{
    ck_assert_int_eq(hf_buf_addf(out, "%s=%" PRIu64 "\n", name, value), 0);
}

static void add_deltas(struct hf_buf *out, const struct hf_delta_ref *deltas, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        add(out, "from", deltas[i].from);
        add(out, "url", deltas[i].url);
        add(out, "sha256", deltas[i].sha256);
        add(out, "to", deltas[i].to);
        add_number(out, "size", deltas[i].size);
        add_number(out, "toSize", deltas[i].to_size);
        add_number(out, "memory", deltas[i].needs.memory_bytes);
        add_number(out, "disk", deltas[i].needs.disk_bytes);
    }
}

static void add_artifact(struct hf_buf *out, const struct hf_artifact *artifact)
{
    add(out, "arch", artifact->arch);
    add(out, "url", artifact->url);
    add(out, "sha256", artifact->sha256);
    add(out, "download", artifact->download.sha256);
    add(out, "kernel", artifact->requires_.kernel);
    add_number(out, "size", artifact->size);
    add_number(out, "download", artifact->download.size);
    add_number(out, "memory", artifact->requires_.memory_bytes);
    add_number(out, "disk", artifact->requires_.disk_bytes);
    for (size_t i = 0; artifact->requires_.cpu_features[i] != NULL; i++)
        add(out, "feature", artifact->requires_.cpu_features[i]);
    for (size_t i = 0; artifact->requires_.devices[i] != NULL; i++)
        add(out, "device", artifact->requires_.devices[i]);
    add_deltas(out, artifact->deltas, artifact->n_deltas);
    add_deltas(out, artifact->steps, artifact->n_steps);
}

static void add_check(struct hf_buf *out, const struct hf_check *check)
{
    add_number(out, "kind", check->kind);
    add(out, "url", check->url);
    add(out, "host", check->host);
    add(out, "unit", check->unit);
    add_number(out, "status", (uint64_t)check->status);
    add_number(out, "port", check->port);
    add_number(out, "period", check->period_ns);
    add_number(out, "timeout", check->timeout_ns);
    add_number(out, "threshold", check->success_threshold);
    for (size_t i = 0; check->command[i] != NULL; i++)
        add(out, "word", check->command[i]);
}

/* A hash of every decoded field of the release: not of its text, so that a decoder that picks another value than the
 * signer's shows. */
static void take_meaning(const struct hf_release *release, char meaning[65])
{
    _cleanup_(hf_buf_done) struct hf_buf out = HF_BUF_INIT(MAX_TEXT);

    add(&out, "name", release->name);
    add(&out, "version", release->version);
    add_number(&out, "sequence", release->sequence);
    add_number(&out, "expires", release->expires_unix_ns);
    add_number(&out, "signedAt", release->signed_at_unix_ns);
    add_number(&out, "allowDowngrade", release->allow_downgrade);
    for (size_t i = 0; i < release->n_downgrade_from; i++)
        add_number(&out, "downgradeFrom", release->downgrade_from[i]);
    for (size_t i = 0; i < release->n_artifacts; i++)
        add_artifact(&out, &release->artifacts[i]);
    add(&out, "path", release->install.path);
    add(&out, "unit", release->install.restart_unit);
    add_number(&out, "kind", release->install.kind);
    add_number(&out, "mode", release->install.has_mode ? release->install.mode : 010000);
    for (size_t i = 0; release->install.restart_exec[i] != NULL; i++)
        add(&out, "exec", release->install.restart_exec[i]);
    add_number(&out, "deadline", release->health_deadline_ns);
    for (size_t i = 0; i < release->n_checks; i++)
        add_check(&out, &release->checks[i]);
    (void)hf_sha256_hex(out.p, out.n, meaning);
}

/* ---- verdicts ---------------------------------------------------------------------------------------------------- */

enum stage { NO_OBJECT, REFUSED, DISTRUSTED, ACCEPTED };
static const char *const stages[] = {"no object", "refused", "distrusted", "accepted"};

struct verdict {
    enum stage stage;
    int detail; /* DISTRUSTED: the verdict or the error of the signature check */
    char digest[65], meaning[65];
    char why[300];
};

static void judge(json_t *object, struct verdict *verdict)
{
    static struct hf_issues issues;
    _cleanup_(hf_edgeupdate_freep) struct hf_edgeupdate *update = NULL;
    enum hf_trust_verdict trust = HF_TRUST_UNSIGNED;
    struct hf_err err = HF_ERR_INIT;
    int r = hf_edgeupdate_decode(object, &update, &issues);

    ck_assert(r == 0 || r == -EBADMSG);
    if (r < 0) {
        verdict->stage = REFUSED;
        (void)snprintf(verdict->why, sizeof(verdict->why), "%.150s: %.140s", issues.errors[0].path,
                       issues.errors[0].text);
        return;
    }
    take_meaning(&update->release, verdict->meaning);
    (void)snprintf(verdict->digest, sizeof(verdict->digest), "%s", update->release.digest);
    r = hf_trust_check(hf_simfs_ops(disk), "/trust", update, &trust, &err);
    verdict->stage = r == 0 && trust == HF_TRUST_OK ? ACCEPTED : DISTRUSTED;
    verdict->detail = r < 0 ? r : (int)trust;
}

static struct verdict by_json(struct hf_view text)
{
    _cleanup_(hf_json_freep) json_t *object = NULL;
    struct verdict verdict = {.stage = NO_OBJECT};

    if (hf_json_parse(text, NULL, &object, NULL) == 0)
        judge(object, &verdict);
    return verdict;
}

static struct verdict by_yaml(struct hf_view text, json_t **ret_object)
{
    _cleanup_(hf_json_freep) json_t *object = NULL;
    struct verdict verdict = {.stage = NO_OBJECT};

    if (hf_yaml_parse(text, NULL, &object, NULL) == 0)
        judge(object, &verdict);
    if (ret_object != NULL)
        *ret_object = json_incref(object);
    return verdict;
}

static int on_event(void *arg, const struct hf_watch_event *event, const struct hf_err *err)
{
    (void)err;
    if (event != NULL && event->object != NULL)
        judge(event->object, arg);
    return 0;
}

/* As encoding/json of Go writes text: <, > and & escaped, and U+2028 and U+2029. */
static void add_go(struct hf_buf *out, const char *text)
{
    static const char *const special[][2] = {
        {"<", "\\u003c"}, {">", "\\u003e"}, {"&", "\\u0026"}, {"\xe2\x80\xa8", "\\u2028"}, {"\xe2\x80\xa9", "\\u2029"}};
    int r = 0;

    for (size_t n; r == 0 && *text != '\0'; text += n) {
        const char *escape = NULL;
        n = 1;
        for (size_t i = 0; i < HF_LEN(special); i++)
            if (strncmp(text, special[i][0], strlen(special[i][0])) == 0) {
                escape = special[i][1];
                n = strlen(special[i][0]);
            }
        r = escape != NULL ? hf_buf_add_str(out, escape) : hf_buf_add(out, text, 1);
    }
    ck_assert_int_eq(r, 0);
}

/* Keys sorted, Go's escapes, one line of a watch. */
static struct verdict by_api(const json_t *object)
{
    _cleanup_(hf_buf_done) struct hf_buf line = HF_BUF_INIT(MAX_TEXT);
    struct verdict verdict = {.stage = NO_OBJECT};
    struct hf_watch_stream stream;
    char *text = json_dumps(object, JSON_COMPACT | JSON_SORT_KEYS);

    ck_assert_ptr_nonnull(text);
    ck_assert_int_eq(hf_buf_add_str(&line, "{\"type\":\"MODIFIED\",\"object\":"), 0);
    add_go(&line, text);
    ck_assert_int_eq(hf_buf_add_str(&line, "}\n"), 0);
    free(text);
    hf_watch_stream_init(&stream);
    ck_assert_int_eq(hf_watch_stream_feed(&stream, line.p, line.n, on_event, &verdict), 0);
    hf_watch_stream_done(&stream);
    return verdict;
}

static bool same(const struct verdict *a, const struct verdict *b)
{
    return a->stage == b->stage && a->detail == b->detail && strcmp(a->digest, b->digest) == 0 &&
           strcmp(a->meaning, b->meaning) == 0;
}

/* ---- drawing ----------------------------------------------------------------------------------------------------- */

struct draw {
    uint64_t state;
};

static uint64_t draw(struct draw *d, uint64_t below)
{
    d->state = d->state * 6364136223846793005u + 1442695040888963407u;
    return below == 0 ? 0 : (d->state >> 33) % below;
}

/* One member of an object or element of an array. */
struct place {
    json_t *parent, *value;
    const char *key;
    size_t index;
};

static void collect(json_t *parent, struct place *places, size_t *n)
{
    const char *key;
    json_t *value;
    void *next;

    for (size_t i = 0; i < json_array_size(parent) && *n < MAX_PLACES; i++) {
        places[(*n)++] = (struct place){parent, json_array_get(parent, i), NULL, i};
        collect(json_array_get(parent, i), places, n);
    }
    json_object_foreach_safe(parent, next, key, value)
    {
        if (*n == MAX_PLACES)
            return;
        places[(*n)++] = (struct place){parent, value, key, 0};
        collect(value, places, n);
    }
}

static void put(const struct place *place, json_t *value)
{
    ck_assert_ptr_nonnull(value);
    ck_assert_int_eq(place->key != NULL ? json_object_set_new(place->parent, place->key, value)
                                        : json_array_set_new(place->parent, place->index, value),
                     0);
}

/* ---- mutations of the tree --------------------------------------------------------------------------------------- */

static json_t *other_type(struct draw *d)
{
    switch (draw(d, 9)) {
    case 0:
        return json_null();
    case 1:
        return json_true();
    case 2:
        return json_integer(0);
    case 3:
        return json_string("");
    case 4:
        return json_array();
    case 5:
        return json_object();
    case 6:
        return json_real(1.5);
    case 7:
        return json_string("~");
    default:
        return json_false();
    }
}

static json_t *other_number(struct draw *d, json_int_t value)
{
    static const json_int_t set[] = {0, -1, 1, 255, 65536, (1ll << 53) - 1, 1ll << 53, INT64_MAX, INT64_MIN};
    char text[32];

    switch (draw(d, 6)) {
    case 0:
        return json_integer(value + 1);
    case 1:
        return json_integer(value - 1);
    case 2:
        return json_integer(-value);
    case 3:
        return json_real((double)value);
    case 4:
        (void)snprintf(text, sizeof(text), "%lld", (long long)value);
        return json_string(text);
    default:
        return json_integer(set[draw(d, HF_LEN(set))]);
    }
}

static const char *const snippets[] = {"\xc2\x85",
                                       "\xe2\x80\xa8",
                                       "\xe2\x80\xa9",
                                       "\xef\xbb\xbf",
                                       "\x7f",
                                       "\x01",
                                       "\x1b",
                                       "\xc2\xa0",
                                       "\xe2\x80\x8b",
                                       "\xcc\x81",
                                       "\xd0\xb0",
                                       "\xf0\x9f\x98\x80",
                                       "\xef\xbf\xbe",
                                       "\n",
                                       "\r",
                                       "\r\n",
                                       "\t",
                                       " ",
                                       "  ",
                                       "\\",
                                       "\"",
                                       "'",
                                       "\\u0000",
                                       "#",
                                       ": ",
                                       "- ",
                                       "&a ",
                                       "*a",
                                       "!!str ",
                                       "%",
                                       "@",
                                       "`",
                                       "|",
                                       ">",
                                       "{",
                                       "}",
                                       "[",
                                       "]",
                                       ",",
                                       "?",
                                       "..",
                                       "/",
                                       "//",
                                       "/../",
                                       "%2e",
                                       "0x1",
                                       "1e3",
                                       "010",
                                       "yes",
                                       "null",
                                       "~",
                                       "<<",
                                       "---",
                                       "..."};

/* Another text: a piece put in, taken out or put over, or one letter in the other case. */
static json_t *other_text(struct draw *d, const char *text)
{
    _cleanup_(hf_buf_done) struct hf_buf out = HF_BUF_INIT(MAX_TEXT);
    size_t n = strlen(text), at = draw(d, n + 1);
    const char *piece = snippets[draw(d, HF_LEN(snippets))];
    unsigned how = (unsigned)draw(d, 5);

    while (at > 0 && at < n && ((unsigned char)text[at] & 0xc0) == 0x80)
        at--;
    ck_assert_int_eq(hf_buf_add(&out, text, at), 0);
    if (how == 0 || how == 1)
        ck_assert_int_eq(hf_buf_add_str(&out, piece), 0);
    size_t skip = at < n && (how == 1 || how == 2 || how == 3) ? HF_MAX(hf_utf8_length(text + at, n - at), 1) : 0;
    if (how == 3 && at < n) {
        char c = text[at];
        c = (char)(c >= 'a' && c <= 'z' ? c - 32 : c >= 'A' && c <= 'Z' ? c + 32 : 'x');
        ck_assert_int_eq(hf_buf_add(&out, &c, 1), 0);
    }
    if (how != 4)
        ck_assert_int_eq(hf_buf_add_str(&out, text + at + skip), 0);
    json_t *made = json_string(hf_buf_str(&out));
    return made != NULL ? made : json_string("not UTF-8");
}

static void rename_key(struct draw *d, const struct place *place)
{
    json_t *name = other_text(d, place->key), *value = json_incref(place->value);

    ck_assert_int_eq(json_object_del(place->parent, place->key), 0);
    ck_assert_int_eq(json_object_set_new(place->parent, json_string_value(name), value), 0);
    json_decref(name);
}

static void remove_place(const struct place *place)
{
    ck_assert_int_eq(place->key != NULL ? json_object_del(place->parent, place->key)
                                        : json_array_remove(place->parent, place->index),
                     0);
}

/* Both are values without members, so neither is inside the other. */
static void swap_places(const struct place *a, const struct place *b)
{
    json_t *from_a = json_deep_copy(a->value), *from_b = json_deep_copy(b->value);

    put(b, from_a);
    put(a, from_b);
}

static void change_place(struct draw *d, const struct place *place)
{
    switch (json_typeof(place->value)) {
    case JSON_INTEGER:
        put(place, other_number(d, json_integer_value(place->value)));
        break;
    case JSON_STRING:
        put(place, other_text(d, json_string_value(place->value)));
        break;
    case JSON_TRUE:
    case JSON_FALSE:
        put(place, json_boolean(json_is_false(place->value)));
        break;
    case JSON_ARRAY:
        if (json_array_size(place->value) > 0)
            ck_assert_int_eq(json_array_append_new(place->value, json_deep_copy(json_array_get(place->value, 0))), 0);
        break;
    case JSON_OBJECT:
        ck_assert_int_eq(json_object_set_new(place->value, snippets[draw(d, HF_LEN(snippets))], other_type(d)), 0);
        break;
    default:
        put(place, other_type(d));
    }
}

static void mutate_place(struct draw *d, json_t *root)
{
    static struct place places[MAX_PLACES];
    size_t n = 0;

    collect(root, places, &n);
    if (n == 0)
        return;
    const struct place *place = &places[draw(d, n)], *other = &places[draw(d, n)];
    switch (draw(d, 8)) {
    case 0:
        remove_place(place);
        break;
    case 1:
        put(place, other_type(d));
        break;
    case 2:
        if (place->key != NULL)
            rename_key(d, place);
        break;
    case 3:
        if (!json_is_object(place->value) && !json_is_array(place->value) && !json_is_object(other->value) &&
            !json_is_array(other->value))
            swap_places(place, other);
        break;
    default:
        change_place(d, place);
    }
}

static void mutate_tree(struct draw *d, json_t *object)
{
    json_t *spec = json_object_get(object, "spec");

    for (uint64_t times = 1 + draw(d, 2); times > 0; times--)
        switch (draw(d, 8)) {
        case 0:
            if (json_object_get(spec, "signatures") != NULL)
                mutate_place(d, json_object_get(spec, "signatures"));
            break;
        case 1: /* the signatures of another object */
            ck_assert_int_eq(
                json_object_set_new(spec, "signatures",
                                    json_deep_copy(hf_json_at(bases[draw(d, BASES)].object, "spec.signatures"))),
                0);
            break;
        case 2: /* what is not signed */
            ck_assert_int_eq(json_object_set_new(spec, "suspend", json_boolean(draw(d, 2))), 0);
            break;
        case 3:
            mutate_place(d, spec);
            spec = json_object_get(object, "spec");
            break;
        default:
            if (json_object_get(spec, "release") != NULL)
                mutate_place(d, json_object_get(spec, "release"));
        }
}

/* ---- mutations of a text ----------------------------------------------------------------------------------------- */

static void mutate_text(struct draw *d, struct hf_buf *text)
{
    _cleanup_(hf_buf_done) struct hf_buf out = HF_BUF_INIT(2 * MAX_TEXT);
    size_t at = draw(d, text->n), skip = 0;
    char made[16] = "";
    int r;

    switch (draw(d, 6)) {
    case 0:
        made[0] = (char)(1 + draw(d, 255));
        skip = 1;
        break;
    case 1:
        skip = 1 + draw(d, 8);
        break;
    case 2: /* the same letter, as an escape */
        (void)snprintf(made, sizeof(made), "\\u%04x", (unsigned char)text->p[at]);
        skip = 1;
        break;
    case 3: /* a piece twice: a member twice, if it happens to be one */
        (void)snprintf(made, sizeof(made), "%.*s", (int)HF_MIN(text->n - at, (size_t)15), text->p + at);
        break;
    default:
        (void)snprintf(made, sizeof(made), "%s", snippets[draw(d, HF_LEN(snippets))]);
    }
    r = hf_buf_add(&out, text->p, at);
    r = r == 0 ? hf_buf_add_str(&out, made) : r;
    skip = HF_MIN(skip, text->n - at);
    r = r == 0 ? hf_buf_add(&out, text->p + at + skip, text->n - at - skip) : r;
    ck_assert_int_eq(r, 0);
    hf_buf_clear(text);
    ck_assert_int_eq(hf_buf_add(text, out.p, out.n), 0);
}

/* ---- the test ---------------------------------------------------------------------------------------------------- */

static unsigned counts[4];

static void check_meaning(uint64_t seed, const struct verdict *verdict, const char *way)
{
    counts[verdict->stage]++;
    if (verdict->stage != ACCEPTED)
        return;
    for (size_t i = 0; i < BASES; i++)
        if (strcmp(verdict->meaning, bases[i].meaning) == 0)
            return;
    ck_abort_msg("mutation %" PRIu64 " by %s: accepted with another meaning", seed, way);
}

static void check_same(uint64_t seed, const struct verdict *a, const struct verdict *b, const char *ways)
{
    ck_assert_msg(same(a, b), "mutation %" PRIu64 " by %s: %s %d %.8s (%s), but %s %d %.8s (%s)", seed, ways,
                  stages[a->stage], a->detail, a->digest, a->why, stages[b->stage], b->detail, b->digest, b->why);
}

/* One object in three ways. */
static void check_object(uint64_t seed, const json_t *object)
{
    _cleanup_(hf_buf_done) struct hf_buf json = HF_BUF_INIT(MAX_TEXT), yaml = HF_BUF_INIT(MAX_TEXT);

    ck_assert_int_eq(hf_json_format(object, &json), 0);
    ck_assert_int_eq(hf_yaml_format(object, &yaml), 0);
    struct verdict one = by_json(hf_buf_view(&json)), two = by_yaml(hf_buf_view(&yaml), NULL), three = by_api(object);
    check_meaning(seed, &one, "JSON");
    check_meaning(seed, &two, "YAML");
    check_meaning(seed, &three, "the API");
    check_same(seed, &one, &two, "JSON and YAML");
    check_same(seed, &one, &three, "JSON and the API");
}

/* A text that may be JSON: the YAML reader reads it alike if it is, and is never led astray if it is not. */
static void check_json_text(uint64_t seed, struct hf_view text)
{
    struct verdict one = by_json(text), two = by_yaml(text, NULL);

    check_meaning(seed, &one, "JSON text");
    check_meaning(seed, &two, "JSON text as YAML");
    if (one.stage != NO_OBJECT)
        check_same(seed, &one, &two, "JSON text and the same as YAML");
}

/* A YAML text: the object that it makes has the same verdict by the other ways. */
static void check_yaml_text(uint64_t seed, struct hf_view text)
{
    _cleanup_(hf_json_freep) json_t *object = NULL;
    struct verdict one = by_yaml(text, &object);

    check_meaning(seed, &one, "YAML text");
    if (json_is_object(object) && hf_json_str(object, "metadata.name") != NULL &&
        hf_json_str(object, "metadata.name")[0] != '\0')
        check_object(seed, object);
}

static void one_mutation(uint64_t seed)
{
    struct draw d = {seed * 2654435761u + 1};
    _cleanup_(hf_json_freep) json_t *object = json_deep_copy(bases[draw(&d, BASES)].object);
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(2 * MAX_TEXT);
    uint64_t kind = draw(&d, 4);

    for (int i = 0; i < 8; i++)
        (void)draw(&d, 2);
    if (kind <= 1) {
        mutate_tree(&d, object);
        check_object(seed, object);
    } else if (kind == 2) {
        ck_assert_int_eq(hf_json_format(object, &text), 0);
        mutate_text(&d, &text);
        check_json_text(seed, hf_buf_view(&text));
    } else {
        ck_assert_int_eq(hf_yaml_format(object, &text), 0);
        mutate_text(&d, &text);
        check_yaml_text(seed, hf_buf_view(&text));
    }
}

START_TEST(mutations)
{
    for (uint64_t i = 0; i < PER_TEST; i++)
        one_mutation((uint64_t)_i * PER_TEST + i + 1);
    ck_assert_msg(counts[REFUSED] > 0 && counts[DISTRUSTED] > 0 && counts[ACCEPTED] > 0 && counts[NO_OBJECT] > 0,
                  "no object %u, refused %u, distrusted %u, accepted %u", counts[NO_OBJECT], counts[REFUSED],
                  counts[DISTRUSTED], counts[ACCEPTED]);
    if (getenv("HF_MUTATION_COUNTS") != NULL)
        (void)fprintf(stderr, "no object %u, refused %u, distrusted %u, accepted with the signed meaning %u\n",
                      counts[NO_OBJECT], counts[REFUSED], counts[DISTRUSTED], counts[ACCEPTED]);
}
END_TEST

START_TEST(one_by_number)
{
    one_mutation(strtoull(getenv("HF_MUTATION"), NULL, 10));
}
END_TEST

static json_t *load(const char *name)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(MAX_TEXT);
    char path[200], chunk[4096];
    json_t *json = NULL;
    size_t n;

    (void)snprintf(path, sizeof(path), "tests/unit/api/cases/%s.yaml", name);
    FILE *file = fopen(path, "r");
    ck_assert_msg(file != NULL, "%s", path);
    while ((n = fread(chunk, 1, sizeof(chunk), file)) > 0)
        ck_assert_int_eq(hf_buf_add(&text, chunk, n), 0);
    (void)fclose(file);
    ck_assert_int_eq(hf_yaml_parse(hf_buf_view(&text), NULL, &json, NULL), 0);
    return json;
}

static void sign(json_t *object)
{
    _cleanup_(hf_buf_done) struct hf_buf message = HF_BUF_INIT(MAX_TEXT);
    json_t *spec = json_object_get(object, "spec");

    ck_assert_int_eq(hf_json_canonical(json_object_get(spec, "release"), &message, NULL), 0);
    ck_assert_int_eq(json_object_set_new(spec, "signatures", signatures_by("k1", &private_pem, hf_buf_view(&message))),
                     0);
}

static void set_up(void)
{
    static struct hf_issues issues;

    disk = hf_simfs_new();
    private_pem = public_pem = (struct hf_buf)HF_BUF_INIT(1000);
    ck_assert_int_eq(hf_trust_generate(&private_pem, &public_pem, NULL), 0);
    hf_simfs_put(disk, "/trust/k1.pem", public_pem.p, public_pem.n, 0644);
    for (size_t i = 0; i < BASES; i++) {
        struct hf_edgeupdate *update = NULL;
        bases[i].object = load(files[i]);
        /* texts that YAML writes in several ways */
        ck_assert_int_eq(hf_json_put(bases[i].object, "spec.release.note",
                                     json_string("two\nlines, a\ttab, 'quotes\", \xf0\x9f\x98\x80 and <&> \xc3\xa9")),
                         0);
        sign(bases[i].object);
        ck_assert_int_eq(hf_edgeupdate_decode(bases[i].object, &update, &issues), 0);
        take_meaning(&update->release, bases[i].meaning);
        hf_edgeupdate_free(update);
    }
}

static void tear_down(void)
{
    for (size_t i = 0; i < BASES; i++)
        json_decref(bases[i].object);
    hf_buf_done(&private_pem);
    hf_buf_done(&public_pem);
    hf_simfs_free(disk);
}

static void cases(TCase *tc)
{
    const char *text = getenv("HF_MUTATIONS"), *from_text = getenv("HF_MUTATION_FROM");
    uint64_t from = from_text != NULL ? strtoull(from_text, NULL, 10) : 0;
    uint64_t n = text != NULL && text[0] != '\0' ? strtoull(text, NULL, 10) : DEFAULT_MUTATIONS;

    tcase_add_checked_fixture(tc, set_up, tear_down);
    if (getenv("HF_MUTATION") != NULL)
        tcase_add_test(tc, one_by_number);
    else
        tcase_add_loop_test(tc, mutations, (int)(from / PER_TEST), (int)((n + PER_TEST - 1) / PER_TEST));
}
HF_TEST_MAIN("sim/signed_mutations", cases)
