/* SPDX-License-Identifier: Apache-2.0 */
/* Paths of the agent on its host, and records in <state>/host:
 *
 *   persisted   boot of a pod's installation; seen by a later boot?
 *   decision    the pod's last start's
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

/* Absolute; borrowed. */
struct hf_hostlife_place {
    const struct hf_fs_ops *fs;
    const char *state_dir, *unit_dir;
    const char *image_dir; /* with host/ (a slot), supervisor/, the unit's template */
    const char *run_dir;   /* in memory: of this boot */
    const char *bin_dir;   /* for a link to `holdfast`, if there */
};

/* <state>/host/<name>, or <state>/host if `name` is "". Returns "" if that is too long. */
const char *hf_hostlife_path(const struct hf_hostlife_place *place, const char *name, char path[PATH_MAX]);
const char *hf_hostlife_unit_path(const struct hf_hostlife_place *place, char path[PATH_MAX]);

struct hf_hostlife_mark {
    char boot[HF_HOSTLIFE_BOOT]; /* installation's */
    char version[64];            /* installed */
    bool proven;                 /* by a later boot */
};

struct hf_hostlife_decision {
    enum hf_hostlife_act act;
    enum hf_hostlife_reason reason;
    char message[HF_HOSTLIFE_TEXT];
};

/* _load: errors of hf_record_load(). */
HF_MUST_USE int hf_hostlife_mark_load(const struct hf_hostlife_place *place, struct hf_hostlife_mark *ret_mark,
                                      struct hf_err *err);
HF_MUST_USE int hf_hostlife_mark_save(const struct hf_hostlife_place *place, const struct hf_hostlife_mark *mark,
                                      struct hf_err *err);
HF_MUST_USE int hf_hostlife_decision_load(const struct hf_hostlife_place *place,
                                          struct hf_hostlife_decision *ret_decision, struct hf_err *err);
/* Writes the file only if it changes. */
HF_MUST_USE int hf_hostlife_decision_save(const struct hf_hostlife_place *place,
                                          const struct hf_hostlife_decision *decision, struct hf_err *err);

/* The content of <run>/boot, which the first call after a boot makes; or "". The kernel's id does not serve: a system
 * container has its own, which neither its pods nor services with their own /proc see. */
void hf_hostlife_boot_id(const struct hf_hostlife_place *place, char boot[HF_HOSTLIFE_BOOT]);

/* The host's agent's: Persists or Installed; NO_REASON: no pod's. Marks the first boot after the installation. */
enum hf_hostlife_reason hf_hostlife_prove(const struct hf_hostlife_place *place);
