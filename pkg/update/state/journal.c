/* SPDX-License-Identifier: Apache-2.0 */
#include "update/state/journal.h"

#include <limits.h>

#include "codec/state/record.h"

enum { HF_JOURNAL_FORMAT = 1 };

/* ---- names ------------------------------------------------------------------------------------------------------- */

static const char *const method_names[] = {[HF_METHOD_NONE] = "",
                                           [HF_METHOD_DELTA] = "Delta",
                                           [HF_METHOD_FULL] = "Full",
                                           [HF_METHOD_KEPT] = "Kept",
                                           [HF_METHOD_NEIGHBOUR] = "Neighbour"};
static const char *const kind_names[] = {
    [HF_INSTALL_FILE] = "File", [HF_INSTALL_TREE] = "Tree", [HF_INSTALL_AGENT] = "Agent"};

static const char *const verdict_names[] = {[HF_BOOTS_FINE] = "", [HF_BOOTS_BAD] = "Bad", [HF_BOOTS_STAYS] = "Stays"};

const char *hf_update_method_name(enum hf_update_method method)
{
    return method <= HF_METHOD_NEIGHBOUR ? method_names[method] : "";
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

static const char *phase_name(unsigned phase)
{
    return hf_phase_name((enum hf_phase)phase);
}

static const char *reason_name(unsigned reason)
{
    return hf_reason_name((enum hf_reason)reason);
}

static const char *kind_name(unsigned kind)
{
    return kind_names[kind];
}

static const char *method_name(unsigned method)
{
    return method_names[method];
}

static const char *verdict_name(unsigned verdict)
{
    return verdict_names[verdict];
}

/* ---- the file ---------------------------------------------------------------------------------------------------- */

struct journal_file {
    struct hf_journal j;
    json_t *release;
};

#define ROW(name_, member_, ...) HF_RECORD_ROW(struct journal_file, name_, j.member_, .required = true, ##__VA_ARGS__)
#define COUNT(name_, member_) ROW(name_, member_, .max = INT_MAX)
#define SHA256(name_, member_)                                                                                         \
    HF_RECORD_ROW_OF(HF_RECORD_SHA256, struct journal_file, name_, j.member_, .required = true)

static const struct hf_record_row rows[] = {
    ROW("phase", phase, .name_of = phase_name, .max = HF_PHASE_COUNT - 1),
    ROW("reason", reason, .name_of = reason_name, .max = HF_R_COUNT - 1, .lenient = true),
    ROW("kind", kind, .name_of = kind_name, .max = HF_LEN(kind_names) - 1),
    ROW("method", method, .name_of = method_name, .max = HF_LEN(method_names) - 1),
    ROW("name", name),
    ROW("message", message),
    ROW("timeUnixNs", time_unix_ns),
    SHA256("digest", digest),
    ROW("version", version),
    ROW("sequence", sequence),
    ROW("path", path),
    SHA256("sha256", sha256),
    ROW("size", size),
    ROW("from", from),
    ROW("noDelta", no_delta),
    ROW("bytesFetched", bytes_fetched),
    COUNT("attempts", attempts),
    ROW("hadOld", had_old),
    SHA256("oldSha256", old_sha256),
    ROW("oldLink", old_link),
    ROW("madeFolder", made_folder),
    ROW("probed", probed),
    ROW("restarted", restarted),
    HF_RECORD_ROW(struct journal_file, "hooked", j.hooked),
    HF_RECORD_ROW(struct journal_file, "rebooted", j.boots.happened),
    HF_RECORD_ROW(struct journal_file, "boot", j.boots.changed),
    HF_RECORD_ROW(struct journal_file, "bootVerdict", j.boots.verdict, .name_of = verdict_name,
                  .max = HF_LEN(verdict_names) - 1),
    HF_RECORD_ROW(struct journal_file, "bootsLeft", j.boots.left, .max = HF_MAX_PROBATION_BOOTS),
    HF_RECORD_ROW(struct journal_file, "bootWatchdog", j.boots.watchdog),
    HF_RECORD_ROW(struct journal_file, "bootJudged", j.boots.judged),
    HF_RECORD_ROW(struct journal_file, "bootWhy", j.boots.why),
    HF_RECORD_ROW(struct journal_file, "local", j.local),
    HF_RECORD_ROW(struct journal_file, "goodLocal", j.good_local),
    COUNT("starts", starts),
    COUNT("wasted", wasted),
    COUNT("changes", changes),
    SHA256("goodDigest", good_digest),
    ROW("goodVersion", good_version),
    ROW("goodSequence", good_sequence),
    SHA256("badDigest", bad_digest),
    ROW("avoid", avoid),
    ROW("detour", detour),
    HF_RECORD_ROW(struct journal_file, "release", release),
};

static bool release_is_object(const void *record)
{
    const json_t *release = ((const struct journal_file *)record)->release;

    return release == NULL || json_is_object(release);
}

const struct hf_record_type hf_journal_type = {.name = "journal",
                                               .version = HF_JOURNAL_FORMAT,
                                               .size = sizeof(struct journal_file),
                                               .max_bytes = HF_JOURNAL_MAX_BYTES,
                                               .rows = HF_RECORD_ROWS(rows),
                                               .valid = release_is_object};

int hf_journal_format(const struct hf_journal *journal, const json_t *release, struct hf_buf *out)
{
    const struct journal_file file = {*journal, hf_json_mutable(release)};

    return hf_record_format(&hf_journal_type, &file, out);
}

static int give(struct journal_file *file, int r, struct hf_journal *ret_journal, json_t **ret_release)
{
    if (r == 0) {
        *ret_journal = file->j;
        *ret_release = file->release;
    }
    return r;
}

int hf_journal_parse(struct hf_view text, struct hf_journal *ret_journal, json_t **ret_release, struct hf_err *err)
{
    struct journal_file file;

    return give(&file, hf_record_parse(&hf_journal_type, text, &file, err), ret_journal, ret_release);
}

int hf_journal_load(const struct hf_fs_ops *fs, const char *folder, struct hf_journal *ret_journal,
                    json_t **ret_release, struct hf_err *err)
{
    struct journal_file file;

    return give(&file, hf_record_load(&hf_journal_type, fs, folder, &file, err), ret_journal, ret_release);
}

int hf_journal_save(const struct hf_fs_ops *fs, const char *folder, struct hf_view text, struct hf_err *err)
{
    return hf_sealed_file_save(fs, folder, "journal", text, err);
}
