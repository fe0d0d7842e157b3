/* SPDX-License-Identifier: Apache-2.0 */
/* Paths of the agent on its host, and its records in <state>/host:
 *
 *   persisted   the boot in which a pod installed the agent, and whether a later boot has seen it
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

/* Absolute; borrowed. */
struct hf_hostlife_place {
    const struct hf_fs_ops *fs;
    const char *state_dir, *unit_dir;
    const char *image_dir; /* has host/ (a slot), supervisor/ and the unit's template */
    const char *run_dir;   /* in memory, so it is empty at each boot */
    const char *bin_dir;   /* if it exists, gets a link to `holdfast` */
};

/* <state>/host/<name>, or <state>/host if `name` is "". Returns "" if that is too long. */
const char *hf_hostlife_path(const struct hf_hostlife_place *place, const char *name, char path[PATH_MAX]);
const char *hf_hostlife_unit_path(const struct hf_hostlife_place *place, char path[PATH_MAX]);

struct hf_hostlife_mark {
    char boot[HF_HOSTLIFE_BOOT];
    char version[64];
    bool proven; /* a later boot has seen the installation */
};

struct hf_hostlife_decision {
    enum hf_hostlife_act act;
    enum hf_hostlife_reason reason;
    char message[HF_HOSTLIFE_TEXT];
};

HF_MUST_USE int hf_hostlife_mark_load(const struct hf_hostlife_place *place, struct hf_hostlife_mark *ret_mark,
                                      struct hf_err *err);
HF_MUST_USE int hf_hostlife_mark_save(const struct hf_hostlife_place *place, const struct hf_hostlife_mark *mark,
                                      struct hf_err *err);
HF_MUST_USE int hf_hostlife_decision_load(const struct hf_hostlife_place *place,
                                          struct hf_hostlife_decision *ret_decision, struct hf_err *err);
HF_MUST_USE int hf_hostlife_decision_save(const struct hf_hostlife_place *place,
                                          const struct hf_hostlife_decision *decision, struct hf_err *err);

/* The content of <run>/boot, made at the first call after a boot; or "". The kernel's id does not serve, as pods in a
 * system container see another id. */
void hf_hostlife_boot_id(const struct hf_hostlife_place *place, char boot[HF_HOSTLIFE_BOOT]);

/* Returns Persists or Installed; NO_REASON: no readable `persisted`. Records the first boot after the installation. */
enum hf_hostlife_reason hf_hostlife_prove(const struct hf_hostlife_place *place);
