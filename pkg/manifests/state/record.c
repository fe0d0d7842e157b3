/* SPDX-License-Identifier: Apache-2.0 */
#include "manifests/state/record.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/macros.h"

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

#define SET(name_, member_, ...) HF_RECORD_ROW(struct hf_manifest_set, name_, member_, ##__VA_ARGS__)
#define ROW(name_, member_, ...) HF_RECORD_ROW(struct hf_manifest_record, name_, member_, ##__VA_ARGS__)
#define SHA256(type_, name_, member_, ...)                                                                             \
    HF_RECORD_ROW_OF(HF_RECORD_SHA256, struct type_, name_, member_, ##__VA_ARGS__)

static const struct hf_record_row set_rows[] = {
    SHA256(hf_manifest_set, "key", key, .required = true),
    SHA256(hf_manifest_set, "digest", digest, .required = true),
    SET("revision", revision),
    SET("root", root),
    SET("signed", signed_),
    SET("entry", entry, .required = true),
    SET("facts", facts),
};
static const struct hf_record_rows set_fields = HF_RECORD_ROWS(set_rows);

#define SET_ROW(name_, member_)                                                                                        \
    HF_RECORD_ROW_OF(HF_RECORD_STRUCT, struct hf_manifest_record, name_, member_, .fields = &set_fields)

static const char *phase_name(unsigned phase)
{
    return hf_manifest_phase_name((enum hf_manifest_phase)phase);
}

static const char *reason_name(unsigned reason)
{
    return hf_manifest_reason_name((enum hf_manifest_reason)reason);
}

static const struct hf_record_row rows[] = {
    ROW("phase", phase, .required = true, .name_of = phase_name, .max = HF_MANIFEST_PHASE_COUNT - 1),
    ROW("reason", reason, .name_of = reason_name, .max = HF_MANIFEST_REASON_COUNT - 1, .lenient = true),
    ROW("message", message),
    ROW("time", time_unix_ns),
    SHA256(hf_manifest_record, "knownDigest", known_digest),
    ROW("knownRevision", known_revision),
    SHA256(hf_manifest_record, "knownFrom", known_from),
    ROW("knownBytes", known_bytes),
    ROW("knownNames", known_names),
    SET_ROW("next", next),
    SET_ROW("good", good),
    ROW("starts", starts),
    ROW("restarted", restarted),
    ROW("unproven", unproven),
    ROW("unsealed", unsealed),
    ROW("signedInPlace", signed_in_place),
    ROW("restartDue", restart_due),
    ROW("goodUnknown", good_unknown),
    ROW("podsUnread", pods_unread),
    ROW("drifts", drifts),
    ROW("driftTime", drift_unix_ns),
    ROW("objects", objects),
    ROW("podsBefore", pods_before),
};

static bool set_is_valid(const struct hf_manifest_set *set)
{
    return set->entry == NULL || (set->key[0] != '\0' && set->digest[0] != '\0' && json_is_object(set->entry) &&
                                  (set->facts == NULL || json_is_object(set->facts)));
}

static bool sets_are_valid(const void *arg)
{
    const struct hf_manifest_record *record = arg;

    return set_is_valid(&record->next) && set_is_valid(&record->good);
}

const struct hf_record_type hf_manifest_record_type = {.name = "record",
                                                       .version = 2,
                                                       .size = sizeof(struct hf_manifest_record),
                                                       .max_bytes = HF_RECORD_MAX_BYTES,
                                                       .rows = HF_RECORD_ROWS(rows),
                                                       .valid = sets_are_valid};

int hf_manifest_record_format(const struct hf_manifest_record *record, struct hf_buf *out)
{
    assert((record->next.key[0] == '\0') == (record->next.entry == NULL));
    assert((record->good.key[0] == '\0') == (record->good.entry == NULL));
    return hf_record_format(&hf_manifest_record_type, record, out);
}

/* ---- file -------------------------------------------------------------------------------------------------------- */

void hf_manifest_record_init(struct hf_manifest_record *record)
{
    *record = (struct hf_manifest_record){.phase = HF_MANIFEST_WAITING, .reason = HF_MANIFEST_REASON_NONE};
}

void hf_manifest_record_done(struct hf_manifest_record *record)
{
    hf_record_done(&hf_manifest_record_type, record);
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
    int r = hf_record_load(&hf_manifest_record_type, fs, folder, ret_record, err);

    return r == -ENOENT ? hf_sealed_file_explain_absence(fs, folder, hf_manifest_record_type.name, err) : r;
}

int hf_manifest_record_save(const struct hf_fs_ops *fs, const char *folder, struct hf_view text, struct hf_err *err)
{
    return hf_sealed_file_save(fs, folder, hf_manifest_record_type.name, text, err);
}
