/* SPDX-License-Identifier: Apache-2.0 */
#include "update/state/journal.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "codec/state/sealed_file.h"

/* ---- the fields: one row is key, member and form ----------------------------------------------------------------- */

enum journal_form { TEXT, HEX, NUMBER, COUNT, FLAG };

struct journal_field {
    const char *name;
    enum journal_form form;
    size_t offset, size;
};

#define FIELD(name_, form_, member_)                                                                                   \
    {                                                                                                                  \
        .name = (name_), .form = (form_), .offset = offsetof(struct hf_journal, member_),                              \
        .size = sizeof(((struct hf_journal *)0)->member_)                                                              \
    }

static const struct journal_field fields[] = {
    FIELD("name", TEXT, name),
    FIELD("message", TEXT, message),
    FIELD("timeUnixNs", NUMBER, time_unix_ns),
    FIELD("digest", HEX, digest),
    FIELD("version", TEXT, version),
    FIELD("sequence", NUMBER, sequence),
    FIELD("path", TEXT, path),
    FIELD("sha256", HEX, sha256),
    FIELD("size", NUMBER, size),
    FIELD("from", TEXT, from),
    FIELD("noDelta", FLAG, no_delta),
    FIELD("bytesFetched", NUMBER, bytes_fetched),
    FIELD("attempts", COUNT, attempts),
    FIELD("hadOld", FLAG, had_old),
    FIELD("oldSha256", HEX, old_sha256),
    FIELD("oldLink", TEXT, old_link),
    FIELD("madeFolder", TEXT, made_folder),
    FIELD("probed", FLAG, probed),
    FIELD("restarted", FLAG, restarted),
    FIELD("starts", COUNT, starts),
    FIELD("wasted", COUNT, wasted),
    FIELD("changes", COUNT, changes),
    FIELD("goodDigest", HEX, good_digest),
    FIELD("goodVersion", TEXT, good_version),
    FIELD("goodSequence", NUMBER, good_sequence),
    FIELD("badDigest", HEX, bad_digest),
    FIELD("avoid", TEXT, avoid),
    FIELD("detour", TEXT, detour),
};

static const char *const method_names[] = {
    [HF_METHOD_NONE] = "", [HF_METHOD_DELTA] = "Delta", [HF_METHOD_FULL] = "Full"};
static const char *const kind_names[] = {[HF_INSTALL_FILE] = "File", [HF_INSTALL_TREE] = "Tree"};

const char *hf_update_method_name(enum hf_update_method method)
{
    return method <= HF_METHOD_FULL ? method_names[method] : "";
}

const char *hf_journal_installed(const struct hf_journal *journal)
{
    switch (journal->phase) {
    case HF_PHASE_PROBATION:
    case HF_PHASE_COMMITTED:
        return journal->version;
    case HF_PHASE_SWAPPING:
    case HF_PHASE_ROLLING_BACK:
        return "";
    default:
        return journal->phase == HF_PHASE_ROLLED_BACK && journal->reason == HF_R_RollbackFailed ? "" : journal->from;
    }
}

/* ---- out --------------------------------------------------------------------------------------------------------- */

static json_t *field_value(const struct journal_field *field, const struct hf_journal *journal)
{
    const char *at = (const char *)journal + field->offset;
    uint64_t number = 0;

    switch (field->form) {
    case TEXT:
    case HEX:
        return json_string(at);
    case FLAG:
        return json_boolean(*(const bool *)(const void *)at);
    case COUNT:
        number = *(const unsigned *)(const void *)at;
        break;
    case NUMBER:
        memcpy(&number, at, sizeof(number));
        break;
    }
    /* Larger numbers have no meaning here, and readers of JSON lose their digits. */
    return json_integer((json_int_t)HF_MIN(number, (uint64_t)INT64_MAX));
}

static int put(json_t *object, const char *key, json_t *value)
{
    return value == NULL || json_object_set_new(object, key, value) < 0 ? -ENOMEM : 0;
}

static int build(const struct hf_journal *journal, const json_t *release, json_t *object)
{
    int r = put(object, "phase", json_string(hf_phase_name(journal->phase)));

    if (r == 0)
        r = put(object, "reason", json_string(hf_reason_name(journal->reason)));
    if (r == 0)
        r = put(object, "kind", json_string(kind_names[journal->kind]));
    if (r == 0)
        r = put(object, "method", json_string(hf_update_method_name(journal->method)));
    for (size_t i = 0; r == 0 && i < HF_LEN(fields); i++)
        r = put(object, fields[i].name, field_value(&fields[i], journal));
    if (r == 0 && release != NULL)
        r = json_object_set(object, "release", hf_json_mutable(release)) < 0 ? -ENOMEM : 0;
    return r;
}

int hf_journal_format(const struct hf_journal *journal, const json_t *release, struct hf_buf *out)
{
    _cleanup_(hf_buf_done) struct hf_buf body = HF_BUF_INIT(HF_JOURNAL_MAX_BYTES);
    _cleanup_(hf_json_freep) json_t *object = json_object();

    if (object == NULL)
        return -ENOMEM;
    int r = build(journal, release, object);
    if (r == 0)
        r = hf_json_format(object, &body);
    return r == 0 ? hf_seal_format("journal", HF_JOURNAL_FORMAT, hf_buf_view(&body), out) : r;
}

/* ---- in ---------------------------------------------------------------------------------------------------------- */

static int bad(struct hf_err *err, const char *what)
{
    return hf_err_set(err, EBADMSG, "journal: %s is missing or invalid", what);
}

static bool hex_valid(const char *text)
{
    return text[0] == '\0' ||
           (strlen(text) == HF_SHA256_HEX - 1 && strspn(text, "0123456789abcdef") == HF_SHA256_HEX - 1);
}

static int read_text(const struct journal_field *field, const json_t *value, char *at)
{
    const char *text = json_string_value(value);

    if (text == NULL || strlen(text) >= field->size || (field->form == HEX && !hex_valid(text)))
        return -EBADMSG;
    memcpy(at, text, strlen(text) + 1);
    return 0;
}

static int read_number(const struct journal_field *field, const json_t *value, char *at)
{
    json_int_t number = json_integer_value(value);
    bool is_count = field->form != NUMBER;

    if (!json_is_integer(value) || number < 0 || (is_count && number > INT_MAX))
        return -EBADMSG;
    if (is_count)
        *(unsigned *)(void *)at = (unsigned)number;
    else
        *(uint64_t *)(void *)at = (uint64_t)number;
    return 0;
}

static int read_field(const struct journal_field *field, const json_t *object, struct hf_journal *journal)
{
    const json_t *value = json_object_get(object, field->name);
    char *at = (char *)journal + field->offset;

    if (field->form == TEXT || field->form == HEX)
        return read_text(field, value, at);
    if (field->form != FLAG)
        return read_number(field, value, at);
    if (!json_is_boolean(value))
        return -EBADMSG;
    *(bool *)(void *)at = json_is_true(value);
    return 0;
}

/* Index of the name at `key`, or -EBADMSG. */
static int read_name(const json_t *object, const char *key, const char *const *names, size_t n)
{
    const char *text = json_string_value(json_object_get(object, key));

    for (size_t i = 0; text != NULL && i < n; i++) {
        if (strcmp(text, names[i]) == 0)
            return (int)i;
    }
    return -EBADMSG;
}

static int read_enums(const json_t *object, struct hf_journal *journal, struct hf_err *err)
{
    const char *phase = json_string_value(json_object_get(object, "phase"));
    const char *reason = json_string_value(json_object_get(object, "reason"));
    int kind = read_name(object, "kind", kind_names, HF_LEN(kind_names));
    int method = read_name(object, "method", method_names, HF_LEN(method_names));

    if (phase == NULL || hf_phase_of(phase) == HF_PHASE_COUNT)
        return bad(err, "phase");
    if (reason == NULL)
        return bad(err, "reason");
    if (kind < 0 || method < 0)
        return bad(err, kind < 0 ? "kind" : "method");
    journal->phase = hf_phase_of(phase);
    /* A reason of a newer agent is not damage. */
    journal->reason = hf_reason_of(reason) == HF_R_COUNT ? HF_R_None : hf_reason_of(reason);
    journal->kind = (enum hf_install_kind)kind;
    journal->method = (enum hf_update_method)method;
    return 0;
}

static int read_body(struct hf_view body, struct hf_journal *journal, json_t **ret_release, struct hf_err *err)
{
    _cleanup_(hf_json_freep) json_t *object = NULL;
    int r = hf_json_parse(body, NULL, &object, err);

    if (r < 0)
        return r;
    r = read_enums(object, journal, err);
    for (size_t i = 0; r == 0 && i < HF_LEN(fields); i++) {
        if (read_field(&fields[i], object, journal) < 0)
            r = bad(err, fields[i].name);
    }
    if (r < 0)
        return r;
    json_t *release = json_object_get(object, "release");
    if (release != NULL && !json_is_object(release))
        return bad(err, "release");
    *ret_release = json_incref(release);
    return 0;
}

int hf_journal_parse(struct hf_view text, struct hf_journal *ret_journal, json_t **ret_release, struct hf_err *err)
{
    struct hf_journal journal = {.phase = HF_PHASE_IDLE};
    struct hf_view body;
    int r = hf_seal_open(text, "journal", HF_JOURNAL_FORMAT, &body, err);

    if (r == 0)
        r = read_body(body, &journal, ret_release, err);
    if (r < 0)
        return r == -E2BIG ? -EBADMSG : r;
    *ret_journal = journal;
    return 0;
}

/* ---- the file ---------------------------------------------------------------------------------------------------- */

int hf_journal_load(const struct hf_fs_ops *fs, const char *folder, struct hf_journal *ret_journal,
                    json_t **ret_release, struct hf_err *err)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(HF_JOURNAL_MAX_BYTES);
    struct hf_view body;
    int r = hf_sealed_file_load(fs, folder, "journal", "journal", HF_JOURNAL_FORMAT, &text, &body, err);

    if (r < 0)
        return r;
    r = hf_journal_parse(hf_buf_view(&text), ret_journal, ret_release, err);
    return r == -EBADMSG ? hf_sealed_file_set_aside(fs, folder, "journal", err) : r;
}

int hf_journal_save(const struct hf_fs_ops *fs, const char *folder, struct hf_view text, struct hf_err *err)
{
    return hf_sealed_file_save(fs, folder, "journal", text, err);
}
