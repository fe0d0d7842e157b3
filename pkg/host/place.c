/* SPDX-License-Identifier: Apache-2.0 */
#include "host/place.h"

#include <stdio.h>
#include <string.h>

#include "codec/state/record.h"
#include "os/dir.h"
#include "os/file.h"
#include "supervisor/state.h"

const char *hf_hostlife_path(const struct hf_hostlife_place *place, const char *name, char path[PATH_MAX])
{
    int n = snprintf(path, PATH_MAX, "%s/" HF_HOST_DIR "%s%s", place->state_dir, name[0] != '\0' ? "/" : "", name);

    if (n < 0 || n >= PATH_MAX)
        path[0] = '\0';
    return path;
}

const char *hf_hostlife_unit_path(const struct hf_hostlife_place *place, char path[PATH_MAX])
{
    int n = snprintf(path, PATH_MAX, "%s/" HF_HOSTLIFE_UNIT_NAME, place->unit_dir);

    if (n < 0 || n >= PATH_MAX)
        path[0] = '\0';
    return path;
}

/* ---- records ----------------------------------------------------------------------------------------------------- */

static const struct hf_record_row mark_rows[] = {
    HF_RECORD_ROW(struct hf_hostlife_mark, "boot", boot, .required = true),
    HF_RECORD_ROW(struct hf_hostlife_mark, "version", version),
    HF_RECORD_ROW(struct hf_hostlife_mark, "proven", proven),
};

static const struct hf_record_type mark_type = {.name = "persisted",
                                                .version = 1,
                                                .size = sizeof(struct hf_hostlife_mark),
                                                .max_bytes = 1024,
                                                .rows = HF_RECORD_ROWS(mark_rows)};

static const char *act_name(unsigned act)
{
    return hf_hostlife_act_name((enum hf_hostlife_act)act);
}

static const struct hf_record_row decision_rows[] = {
    HF_RECORD_ROW(struct hf_hostlife_decision, "act", act, .required = true, .name_of = act_name,
                  .max = HF_HOSTLIFE_REMOVE, .lenient = true),
    HF_RECORD_ROW(struct hf_hostlife_decision, "reason", reason, .name_of = hf_hostlife_reason_name,
                  .max = HF_HOSTLIFE_REASON_COUNT - 1, .lenient = true),
    HF_RECORD_ROW(struct hf_hostlife_decision, "message", message),
};

static const struct hf_record_type decision_type = {.name = "decision",
                                                    .version = 1,
                                                    .size = sizeof(struct hf_hostlife_decision),
                                                    .max_bytes = 4096,
                                                    .rows = HF_RECORD_ROWS(decision_rows)};

int hf_hostlife_mark_load(const struct hf_hostlife_place *place, struct hf_hostlife_mark *ret_mark, struct hf_err *err)
{
    char folder[PATH_MAX];

    return hf_record_load(&mark_type, place->fs, hf_hostlife_path(place, "", folder), ret_mark, err);
}

int hf_hostlife_mark_save(const struct hf_hostlife_place *place, const struct hf_hostlife_mark *mark,
                          struct hf_err *err)
{
    char folder[PATH_MAX];

    return hf_record_save(&mark_type, place->fs, hf_hostlife_path(place, "", folder), mark, err);
}

int hf_hostlife_decision_load(const struct hf_hostlife_place *place, struct hf_hostlife_decision *ret_decision,
                              struct hf_err *err)
{
    char folder[PATH_MAX];

    return hf_record_load(&decision_type, place->fs, hf_hostlife_path(place, "", folder), ret_decision, err);
}

int hf_hostlife_decision_save(const struct hf_hostlife_place *place, const struct hf_hostlife_decision *decision,
                              struct hf_err *err)
{
    struct hf_hostlife_decision old;
    char folder[PATH_MAX];

    if (hf_hostlife_decision_load(place, &old, NULL) == 0 && old.act == decision->act &&
        old.reason == decision->reason && strcmp(old.message, decision->message) == 0)
        return 0;
    return hf_record_save(&decision_type, place->fs, hf_hostlife_path(place, "", folder), decision, err);
}

/* ---- boots ------------------------------------------------------------------------------------------------------- */

void hf_hostlife_boot_id(const struct hf_hostlife_place *place, char boot[HF_HOSTLIFE_BOOT])
{
    char path[PATH_MAX];

    (void)snprintf(path, sizeof(path), "%.3000s/boot", place->run_dir);
    if (hf_file_read_id(place->fs, path, boot))
        return;
    if (!hf_file_read_id(place->fs, "/proc/sys/kernel/random/uuid", boot) ||
        hf_dir_make(place->fs, place->run_dir, 0755, NULL) < 0 ||
        hf_file_replace(place->fs, path, boot, strlen(boot), 0644, NULL) < 0)
        boot[0] = '\0';
}

enum hf_hostlife_reason hf_hostlife_prove(const struct hf_hostlife_place *place)
{
    struct hf_hostlife_mark mark;
    char boot[HF_HOSTLIFE_BOOT];

    if (hf_hostlife_mark_load(place, &mark, NULL) < 0)
        return HF_HOSTLIFE_NO_REASON;
    if (mark.proven)
        return HF_HOSTLIFE_R_PERSISTS;
    hf_hostlife_boot_id(place, boot);
    if (mark.boot[0] == '\0' || boot[0] == '\0' || strcmp(boot, mark.boot) == 0)
        return HF_HOSTLIFE_R_INSTALLED;
    mark.proven = true;
    (void)!hf_hostlife_mark_save(place, &mark, NULL); /* else the next start notes it */
    return HF_HOSTLIFE_R_PERSISTS;
}
