/* SPDX-License-Identifier: Apache-2.0 */
#include "update/floors/accept.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/encoding/hex.h"
#include "tpm/chip.h"
#include "update/floors/decision.h"
#include "update/floors/record.h"
#include "update/floors/step.h"

_Static_assert((int)HF_FLOOR_RECORD_KEY == (int)HF_TPM_KEY_BYTES, "the TPM seals keys of another size");

/* True if the TPM has sealed the record as it is. */
static int open_record(struct hf_tpm_chip *chip, const struct hf_floor_record *record, bool *ret_open,
                       struct hf_err *err)
{
    unsigned char key[HF_FLOOR_RECORD_KEY], sealed[HF_TPM_KEY_BYTES], blob[HF_TPM_BLOB_MAX];
    char hex[2 * HF_TPM_BLOB_MAX + 1];
    size_t n = record->blob.n;

    *ret_open = false;
    if (n >= sizeof(hex) || n % 2 != 0)
        return 0;
    memcpy(hex, record->blob.p, n);
    hex[n] = '\0';
    if (hf_hex_decode(hex, blob, n / 2) < 0)
        return 0;
    int r = hf_tpm_chip_open_key(chip, (struct hf_view){(char *)blob, n / 2}, sealed, err);
    if (r == -EBADMSG || r == -ESTALE || r == -EINVAL)
        return 0;
    hf_floor_record_key(record->value, record->floors, key);
    *ret_open = r == 0 && memcmp(key, sealed, sizeof(key)) == 0;
    return r;
}

/* Finds the newest record that the TPM has sealed, or else leaves the state FOREIGN or NONE. */
static int find_record(struct hf_tpm_chip *chip, const struct hf_fs_ops *fs, const char *state_dir,
                       struct hf_floor_facts *facts, struct hf_buf *text, struct hf_floor_record *record,
                       struct hf_err *err)
{
    const struct hf_target target = {.fs = fs};
    struct hf_floor_record_foreign foreign = {.n = 0};
    struct hf_floor_record_places places;
    bool is_open = false;
    int r = 0;

    facts->record = HF_FLOOR_RECORD_NONE;
    while (!is_open && foreign.n < HF_FLOOR_RECORD_MAX_FOREIGN) {
        hf_buf_clear(text);
        r = hf_floor_record_load(&target, state_dir, &foreign, text, record, &places, err);
        facts->unread = places.unread;
        if (r < 0)
            return r == -ENOENT ? 0 : r;
        r = open_record(chip, record, &is_open, err);
        if (r < 0)
            return r;
        facts->record = is_open ? HF_FLOOR_RECORD_OPEN : HF_FLOOR_RECORD_FOREIGN;
        facts->record_value = record->value;
        hf_floor_record_add_foreign(&foreign, hf_buf_view(text));
    }
    return 0;
}

/* Reads the record and the counter. */
static int look(struct hf_tpm_chip *chip, const struct hf_fs_ops *fs, const char *state_dir,
                struct hf_floor_facts *facts, struct hf_buf *text, struct hf_floor_record *record, struct hf_err *err)
{
    int r = hf_tpm_chip_counter_read(chip, &facts->counter_value, err);

    *facts = (struct hf_floor_facts){.on = true, .counter_value = facts->counter_value};
    facts->counter = r == -ENOENT ? HF_FLOOR_COUNTER_ABSENT : HF_FLOOR_COUNTER_KNOWN;
    if (r < 0 && r != -ENOENT)
        return r;
    return find_record(chip, fs, state_dir, facts, text, record, err);
}

static int write_record(struct hf_tpm_chip *chip, const struct hf_fs_ops *fs, const char *state_dir, uint64_t value,
                        struct hf_view floors, struct hf_err *err)
{
    _cleanup_(hf_buf_done) struct hf_buf blob = HF_BUF_INIT(HF_TPM_BLOB_MAX),
                                         text = HF_BUF_INIT(HF_FLOOR_RECORD_MAX_BYTES);
    unsigned char key[HF_FLOOR_RECORD_KEY];
    char hex[2 * HF_TPM_BLOB_MAX + 1];

    hf_floor_record_key(value, floors, key);
    int r = hf_tpm_chip_seal(chip, key, 0, &blob, err);
    if (r < 0)
        return r;
    const struct hf_floor_record record = {
        .value = value, .blob = hf_view_of(hf_hex_encode(blob.p, blob.n, hex)), .floors = floors};
    r = hf_floor_record_format(&record, &text);
    if (r < 0)
        return hf_err_sys(err, r, "format the record of the floors");
    return hf_floor_record_save(fs, state_dir, hf_buf_view(&text), err);
}

/* Finds a name that no new state folder has. */
static int find_foreign(HF_UNUSED void *arg, const char *name, unsigned char type)
{
    (void)type;
    return hf_view_starts(hf_view_of(name), "floor-record.") || strcmp(name, "lost+found") == 0 ? 0 : -ENOTEMPTY;
}

static bool is_empty(const struct hf_fs_ops *fs, const char *folder)
{
    int fd = fs->openat(fs->ctx, AT_FDCWD, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0, HF_FS_ANY);

    if (fd < 0)
        return false;
    int r = fs->list(fs->ctx, fd, find_foreign, NULL);
    (void)fs->close(fs->ctx, fd);
    return r == 0;
}

/* A record in another folder would leave the agent's own one behind the counter. A new agent has an empty folder. */
static int check_folder(const struct hf_fs_ops *fs, const char *state_dir, struct hf_err *err)
{
    char path[PATH_MAX];
    struct stat st;
    int n = snprintf(path, sizeof(path), "%s/updates", state_dir);

    if (n >= 0 && n < (int)sizeof(path) && fs->fstatat(fs->ctx, AT_FDCWD, path, &st, 0) == 0 && S_ISDIR(st.st_mode))
        return 0;
    if (is_empty(fs, state_dir))
        return 0;
    return hf_err_set(err, ENOENT,
                      "'%.100s' is not the state folder of an agent: name it with --state-dir, or start the agent, "
                      "which makes it",
                      state_dir);
}

/* Says why there is nothing to accept. */
static int refuse(const struct hf_floor_facts *facts, enum hf_reason reason, struct hf_err *err)
{
    if (reason == HF_R_IoError) /* *err names the file */
        return hf_err_wrap(err, -EIO,
                           "the newest record may be in a file that cannot be read: if the disk has lost it, remove "
                           "the file");
    return hf_err_set(err, EALREADY, "there is nothing to accept: %s",
                      facts->record == HF_FLOOR_RECORD_NONE ? "the TPM has no counter yet, and the agent makes it"
                                                            : "the floors in this state folder are the newest");
}

static int accept_as_is(struct hf_tpm_chip *chip, const struct hf_fs_ops *fs, const char *state_dir,
                        uint64_t *ret_value, struct hf_err *err)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(HF_FLOOR_RECORD_MAX_BYTES);
    struct hf_floor_record record = {.floors = HF_VIEW("")};
    struct hf_floor_facts facts = {.counter_value = 0};
    enum hf_floor_step step;
    uint64_t value = 0;
    int r = look(chip, fs, state_dir, &facts, &text, &record, err);

    if (r < 0)
        return r;
    enum hf_reason reason = hf_floor_decide(&facts, &step);
    if (reason != HF_R_FloorsReplaced && reason != HF_R_TpmReplaced)
        return refuse(&facts, reason, err);
    r = hf_tpm_chip_counter_next(chip, &value, err);
    if (r == 0)
        r = write_record(chip, fs, state_dir, value, facts.record == HF_FLOOR_RECORD_OPEN ? record.floors : HF_VIEW(""),
                         err);
    if (r == 0)
        r = hf_tpm_chip_counter_step(chip, value, ret_value, err);
    if (r == 0 && *ret_value != value)
        return hf_err_set(err, EAGAIN, "another program has used the TPM's counters meanwhile: try again");
    return r;
}

int hf_floor_accept(const char *tcti, const struct hf_fs_ops *fs, const char *state_dir, uint64_t *ret_value,
                    struct hf_err *err)
{
    _cleanup_(hf_tpm_chip_closep) struct hf_tpm_chip *chip = NULL;
    int r = check_folder(fs, state_dir, err);

    if (r < 0)
        return r;
    int lock = hf_floor_step_lock(fs, state_dir, err);
    if (lock < 0)
        return lock;
    r = hf_tpm_chip_open(tcti, &chip, err);
    if (r == 0)
        r = accept_as_is(chip, fs, state_dir, ret_value, err);
    (void)fs->close(fs->ctx, lock);
    return r;
}
