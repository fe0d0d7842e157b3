/* SPDX-License-Identifier: Apache-2.0 */
#include "manifests/state/record.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/encoding/utf8.h"
#include "base/macros.h"
#include "codec/state/sealed_file.h"

#define KIND "manifest-record"
#define NAME "record"

enum { VERSION = 1 };

/* ---- sets -------------------------------------------------------------------------------------------------------- */

bool hf_manifest_set_is_to(const struct hf_manifest_set *set, enum hf_manifest_target to)
{
    return strcmp(hf_json_str_or(set->entry, "to", ""), hf_manifest_target_names[to]) == 0;
}

void hf_manifest_set_done(struct hf_manifest_set *set)
{
    json_decref(set->entry);
    json_decref(set->facts);
    *set = (struct hf_manifest_set){.entry = NULL};
}

void hf_manifest_set_copy(struct hf_manifest_set *to, const struct hf_manifest_set *from)
{
    struct hf_manifest_set copy = *from;

    (void)json_incref(copy.entry);
    (void)json_incref(copy.facts);
    hf_manifest_set_done(to);
    *to = copy;
}

int hf_manifest_set_key(struct hf_manifest_set *set, struct hf_err *err)
{
    static const char *const others[] = {"name", "from", "contentDigest", "dependsOn", "sequence", "signatures"};
    _cleanup_(hf_json_freep) json_t *entry = json_copy(set->entry);
    _cleanup_(hf_json_freep) json_t *all = json_object();
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(HF_RECORD_MAX_BYTES);

    for (size_t i = 0; i < HF_LEN(others); i++)
        (void)json_object_del(entry, others[i]);
    if (entry == NULL || all == NULL || json_object_set(all, "entry", entry) < 0 ||
        json_object_set_new(all, "digest", json_string(set->digest)) < 0 ||
        (set->facts != NULL && json_object_set(all, "facts", set->facts) < 0))
        return hf_err_sys(err, -ENOMEM, "compare the entry");
    int r = hf_json_canonical(all, &text, err);
    if (r == 0)
        (void)hf_sha256_hex(text.p, text.n, set->key);
    return r;
}

int hf_manifest_source_key(const json_t *entry, char ret_key[HF_SHA256_HEX])
{
    static const char *const fields[] = {"from", "contentDigest"};
    _cleanup_(hf_json_freep) json_t *source = json_object();
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(HF_RECORD_MAX_BYTES);
    int r = source != NULL ? 0 : -ENOMEM;

    for (size_t i = 0; r == 0 && i < HF_LEN(fields); i++) {
        json_t *value = json_object_get(entry, fields[i]);
        r = value == NULL || json_object_set(source, fields[i], value) == 0 ? 0 : -ENOMEM;
    }
    if (r == 0)
        r = hf_json_canonical(source, &text, NULL);
    ret_key[0] = '\0';
    if (r == 0)
        (void)hf_sha256_hex(text.p, text.n, ret_key);
    return r;
}

/* ---- text -------------------------------------------------------------------------------------------------------- */

static bool put(json_t *object, const char *key, json_t *value)
{
    return value != NULL && json_object_set_new(object, key, value) == 0;
}

static bool put_text(json_t *object, const char *key, const char *text)
{
    return text[0] == '\0' || put(object, key, json_stringn(text, hf_utf8_prefix(text, strlen(text))));
}

static bool put_number(json_t *object, const char *key, uint64_t number)
{
    return number == 0 || put(object, key, json_integer((json_int_t)HF_MIN(number, (uint64_t)INT64_MAX)));
}

static bool put_set(json_t *object, const char *key, const struct hf_manifest_set *set)
{
    json_t *value = set->key[0] != '\0' ? json_object() : NULL;

    if (set->key[0] == '\0')
        return true;
    return put(object, key, value) && put_text(value, "key", set->key) && put_text(value, "digest", set->digest) &&
           put_text(value, "revision", set->revision) && put_text(value, "root", set->root) &&
           (!set->signed_ || put(value, "signed", json_true())) && json_object_set(value, "entry", set->entry) == 0 &&
           (set->facts == NULL || json_object_set(value, "facts", set->facts) == 0);
}

int hf_manifest_record_format(const struct hf_manifest_record *record, struct hf_buf *out)
{
    _cleanup_(hf_json_freep) json_t *object = json_object();
    size_t body;
    bool whole =
        object != NULL && put_text(object, "phase", hf_manifest_phase_name(record->phase)) &&
        put_text(object, "reason", hf_manifest_reason_name(record->reason)) &&
        put_text(object, "message", record->message) && put_number(object, "time", record->time_unix_ns) &&
        put_text(object, "knownDigest", record->known_digest) &&
        put_text(object, "knownRevision", record->known_revision) &&
        put_text(object, "knownFrom", record->known_from) && put_number(object, "knownBytes", record->known_bytes) &&
        (record->known_names == NULL || json_object_set(object, "knownNames", record->known_names) == 0) &&
        put_set(object, "next", &record->next) && put_set(object, "good", &record->good) &&
        put_number(object, "starts", record->starts) && (!record->restarted || put(object, "restarted", json_true())) &&
        (!record->unproven || put(object, "unproven", json_true())) && put_text(object, "unsealed", record->unsealed) &&
        (!record->signed_in_place || put(object, "signedInPlace", json_true())) &&
        (!record->restart_due || put(object, "restartDue", json_true())) &&
        (!record->good_unknown || put(object, "goodUnknown", json_true())) &&
        (!record->pods_unread || put(object, "podsUnread", json_true())) &&
        put_number(object, "drifts", record->drifts) && put_number(object, "driftTime", record->drift_unix_ns) &&
        (record->objects == NULL || json_object_set(object, "objects", record->objects) == 0) &&
        (record->pods_before == NULL || json_object_set(object, "podsBefore", record->pods_before) == 0);

    if (!whole)
        return -ENOMEM;
    int r = hf_seal_begin(KIND, VERSION, out, &body);
    if (r == 0)
        r = hf_json_format(object, out);
    if (r == 0)
        hf_seal_end(out, body, NULL);
    return r;
}

static void get_text(const json_t *object, const char *key, char *text, size_t n)
{
    const char *value = json_string_value(json_object_get(object, key));

    (void)snprintf(text, n, "%s", value != NULL ? value : "");
}

static uint64_t get_number(const json_t *object, const char *key)
{
    json_int_t number = json_integer_value(json_object_get(object, key));

    return number > 0 ? (uint64_t)number : 0;
}

static bool get_set(const json_t *object, const char *key, struct hf_manifest_set *set)
{
    json_t *value = json_object_get(object, key);

    if (value == NULL)
        return true;
    get_text(value, "key", set->key, sizeof(set->key));
    get_text(value, "digest", set->digest, sizeof(set->digest));
    get_text(value, "revision", set->revision, sizeof(set->revision));
    get_text(value, "root", set->root, sizeof(set->root));
    set->signed_ = json_is_true(json_object_get(value, "signed"));
    set->entry = json_incref(json_object_get(value, "entry"));
    set->facts = json_incref(json_object_get(value, "facts"));
    return strlen(set->key) == HF_SHA256_HEX - 1 && strlen(set->digest) == HF_SHA256_HEX - 1 &&
           json_is_object(set->entry) && (set->facts == NULL || json_is_object(set->facts));
}

static int read_body(struct hf_view body, struct hf_manifest_record *record, struct hf_err *err)
{
    _cleanup_(hf_json_freep) json_t *object = NULL;
    char phase[32], reason[64];
    int r = hf_json_parse(body, NULL, &object, err);

    if (r < 0)
        return r;
    get_text(object, "phase", phase, sizeof(phase));
    get_text(object, "reason", reason, sizeof(reason));
    get_text(object, "message", record->message, sizeof(record->message));
    get_text(object, "knownDigest", record->known_digest, sizeof(record->known_digest));
    get_text(object, "knownRevision", record->known_revision, sizeof(record->known_revision));
    get_text(object, "knownFrom", record->known_from, sizeof(record->known_from));
    record->known_bytes = get_number(object, "knownBytes");
    record->known_names = json_incref(json_object_get(object, "knownNames"));
    record->time_unix_ns = get_number(object, "time");
    record->starts = (unsigned)HF_MIN(get_number(object, "starts"), 1000u);
    record->restarted = json_is_true(json_object_get(object, "restarted"));
    record->unproven = json_is_true(json_object_get(object, "unproven"));
    record->signed_in_place = json_is_true(json_object_get(object, "signedInPlace"));
    record->restart_due = json_is_true(json_object_get(object, "restartDue"));
    record->good_unknown = json_is_true(json_object_get(object, "goodUnknown"));
    record->pods_unread = json_is_true(json_object_get(object, "podsUnread"));
    get_text(object, "unsealed", record->unsealed, sizeof(record->unsealed));
    record->drifts = (unsigned)HF_MIN(get_number(object, "drifts"), (uint64_t)INT32_MAX);
    record->drift_unix_ns = get_number(object, "driftTime");
    record->objects = json_incref(json_object_get(object, "objects"));
    record->pods_before = json_incref(json_object_get(object, "podsBefore"));
    if (!hf_manifest_phase_parse(phase, &record->phase) || !get_set(object, "next", &record->next) ||
        !get_set(object, "good", &record->good))
        return hf_err_set(err, EBADMSG, "a field of the record is malformed");
    if (!hf_manifest_reason_parse(reason, &record->reason)) /* of a later version */
        record->reason = HF_MANIFEST_REASON_NONE;
    return 0;
}

/* ---- file -------------------------------------------------------------------------------------------------------- */

void hf_manifest_record_init(struct hf_manifest_record *record)
{
    *record = (struct hf_manifest_record){.phase = HF_MANIFEST_WAITING, .reason = HF_MANIFEST_REASON_NONE};
}

void hf_manifest_record_done(struct hf_manifest_record *record)
{
    hf_manifest_set_done(&record->next);
    hf_manifest_set_done(&record->good);
    json_decref(record->objects);
    json_decref(record->pods_before);
    json_decref(record->known_names);
    hf_manifest_record_init(record);
}

void hf_manifest_record_doubt_pods(struct hf_manifest_record *record)
{
    if (record->pods_before == NULL || json_object_set_new(record->pods_before, "late", json_true()) == 0)
        return;
    json_decref(record->pods_before); /* out of memory: nothing proves anything */
    record->pods_before = NULL;
}

const struct hf_manifest_set *hf_manifest_record_owner(const struct hf_manifest_record *record)
{
    return record->good.key[0] != '\0' ? &record->good : &record->next;
}

int hf_manifest_record_load(const struct hf_fs_ops *fs, const char *folder, struct hf_manifest_record *ret_record,
                            struct hf_err *err)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(HF_RECORD_MAX_BYTES);
    struct hf_manifest_record record;
    struct hf_view body;
    int r = hf_sealed_file_load(fs, folder, NAME, KIND, VERSION, &text, &body, err);

    if (r < 0)
        return r == -ENOENT ? hf_sealed_file_explain_absence(fs, folder, NAME, err) : r;
    hf_manifest_record_init(&record);
    r = read_body(body, &record, err);
    if (r < 0) {
        hf_manifest_record_done(&record);
        return r == -ENOMEM ? r : hf_sealed_file_set_aside(fs, folder, NAME, err);
    }
    *ret_record = record;
    return 0;
}

int hf_manifest_record_save(const struct hf_fs_ops *fs, const char *folder, struct hf_view text, struct hf_err *err)
{
    return hf_sealed_file_save(fs, folder, NAME, text, err);
}
