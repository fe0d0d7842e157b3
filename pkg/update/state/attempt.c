/* SPDX-License-Identifier: Apache-2.0 */
/* A start that finds the file knows that the agent died in the middle. Usually the update resumes from the last
 * checkpoint (update/install/checkpoint.h); but a delta that needs more memory than there is would kill the agent every
 * time (hf_attempt_gives_up()). */
#include "update/state/attempt.h"

#include <string.h>

#include "os/file.h"

#define ROW(name_, member_, ...) HF_RECORD_ROW(struct hf_attempt, name_, member_, .required = true, ##__VA_ARGS__)
#define BITS(name_, member_) HF_RECORD_ROW_OF(HF_RECORD_SIGNED, struct hf_attempt, name_, member_, .required = true)

static const struct hf_record_row rows[] = {
    ROW("delta", delta),
    ROW("makes", makes),
    ROW("size", size),
    ROW("at", at),
    ROW("deaths", deaths, .max = HF_ATTEMPT_MAX_DEATHS),
    ROW("boot", boot),
    BITS("kills", kills.own),
    BITS("killsAbove", kills.above),
};

const struct hf_record_type hf_attempt_type = {.name = "attempt",
                                               .version = 2,
                                               .size = sizeof(struct hf_attempt),
                                               .max_bytes = 1024,
                                               .rows = HF_RECORD_ROWS(rows)};

/* ---- file -------------------------------------------------------------------------------------------------------- */

bool hf_attempt_find(const struct hf_fs_ops *fs, const char *folder, struct hf_attempt *ret_attempt)
{
    return hf_record_load(&hf_attempt_type, fs, folder, ret_attempt, NULL) == 0;
}

void hf_attempt_look(const struct hf_fs_ops *fs, struct hf_attempt_now *ret_now)
{
    *ret_now = (struct hf_attempt_now){.at = 0};
    hf_file_boot_id(fs, ret_now->boot);
    hf_room_kills(fs, "", &ret_now->kills);
}

int hf_attempt_begin(const struct hf_fs_ops *fs, const char *folder, struct hf_attempt *attempt, struct hf_err *err)
{
    struct hf_attempt before;
    struct hf_attempt_now now;

    hf_attempt_look(fs, &now);
    memcpy(attempt->boot, now.boot, sizeof(attempt->boot));
    attempt->kills = now.kills;
    attempt->deaths = 0;
    if (hf_attempt_find(fs, folder, &before) && strcmp(before.delta, attempt->delta) == 0)
        attempt->deaths = HF_MIN(before.deaths + 1, (unsigned)HF_ATTEMPT_MAX_DEATHS);
    return hf_record_save(&hf_attempt_type, fs, folder, attempt, err);
}

int hf_attempt_end(const struct hf_fs_ops *fs, const char *folder, struct hf_err *err)
{
    return hf_sealed_file_remove(fs, folder, "attempt", err);
}

/* ---- judgement --------------------------------------------------------------------------------------------------- */

static bool same_boot(const struct hf_attempt *attempt, const struct hf_attempt_now *now)
{
    return strcmp(attempt->boot, now->boot) == 0;
}

bool hf_attempt_oom(const struct hf_attempt *attempt, const struct hf_attempt_now *now)
{
    return same_boot(attempt, now) && (now->kills.own > attempt->kills.own || now->kills.above > attempt->kills.above);
}

bool hf_attempt_gives_up(const struct hf_attempt *attempt, const struct hf_attempt_now *now)
{
    if (attempt->deaths + 1 >= HF_ATTEMPT_MAX_DEATHS || hf_attempt_oom(attempt, now))
        return true;
    return same_boot(attempt, now) && now->at <= attempt->at;
}
