/* SPDX-License-Identifier: Apache-2.0 */
/* The paths of the agent's life on the host, and its two records in <state>/host:
 *
 *   persisted   the boot in which a pod installed, and whether a later boot saw it
 *   decision    what the pod's last start decided
 *
 * Blocks. Threads: any. */
#pragma once

#include <limits.h>

#include "base/fs.h"
#include "host/plan.h"
#include "os/file.h"

enum { HF_HOSTLIFE_BOOT = HF_FILE_ID, HF_HOSTLIFE_TEXT = 300 };

#define HF_HOSTLIFE_UNIT_NAME "holdfast-agent.service"
#define HF_HOSTLIFE_UNIT_DIR "/etc/systemd/system"
#define HF_HOSTLIFE_IMAGE_DIR "/usr/lib/holdfast"
#define HF_HOSTLIFE_RUN_DIR "/run/holdfast"
#define HF_HOSTLIFE_BIN_DIR "/usr/local/bin"

/* Absolute paths; borrowed. */
struct hf_hostlife_place {
    const struct hf_fs_ops *fs;
    const char *state_dir, *unit_dir;
    const char *image_dir; /* below it: host/ (a slot), supervisor/, and the unit's template */
    const char *run_dir;   /* in memory: what is there is of this boot */
    const char *bin_dir;   /* for a link to the command `holdfast`, if the folder is there */
};

/* Returns `path`: <state>/host/<name>, or <state>/host for "". -> "" if it is too long. */
const char *hf_hostlife_path(const struct hf_hostlife_place *place, const char *name, char path[PATH_MAX]);
const char *hf_hostlife_unit_path(const struct hf_hostlife_place *place, char path[PATH_MAX]);

struct hf_hostlife_mark {
    char boot[HF_HOSTLIFE_BOOT]; /* of the installation */
    char version[64];            /* that was installed */
    bool proven;                 /* a later boot found it */
};

struct hf_hostlife_decision {
    enum hf_hostlife_act act;
    enum hf_hostlife_reason reason;
    char message[HF_HOSTLIFE_TEXT];
};

/* Errors of hf_record_load(). */
HF_MUST_USE int hf_hostlife_mark_load(const struct hf_hostlife_place *place, struct hf_hostlife_mark *ret_mark,
                                      struct hf_err *err);
HF_MUST_USE int hf_hostlife_mark_save(const struct hf_hostlife_place *place, const struct hf_hostlife_mark *mark,
                                      struct hf_err *err);
HF_MUST_USE int hf_hostlife_decision_load(const struct hf_hostlife_place *place,
                                          struct hf_hostlife_decision *ret_decision, struct hf_err *err);
/* Writes nothing if the record is the same already. */
HF_MUST_USE int hf_hostlife_decision_save(const struct hf_hostlife_place *place,
                                          const struct hf_hostlife_decision *decision, struct hf_err *err);

/* The id of this boot: a file <run>/boot, which the first who asks makes; "": unknown. The kernel's id is not the same
 * for all: a system container has one of its own, which neither its pods nor services with a /proc of their own see. */
void hf_hostlife_boot_id(const struct hf_hostlife_place *place, char boot[HF_HOSTLIFE_BOOT]);

/* For the agent on the host: Persists or Installed; NO_REASON: no pod installed it. Notes the first boot after the
 * installation in the mark. */
enum hf_hostlife_reason hf_hostlife_prove(const struct hf_hostlife_place *place);
