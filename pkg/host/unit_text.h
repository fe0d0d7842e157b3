/* SPDX-License-Identifier: Apache-2.0 */
/* The texts of the agent's unit on the host, and of its environment file. Pure. */
#pragma once

#include "base/buf.h"
#include "base/err.h"

/* The line that says whose the unit is. */
#define HF_HOSTLIFE_UNIT_MARK "# Installed by the pod of holdfast's DaemonSet"

/* The template, with HF_HOSTLIFE_UNIT_MARK, and with `paths` (between colons; NULL: as in the template) as the folders
 * where the agent may write beside its own. -EINVAL: one is not absolute, or has a character that systemd would read
 * as another. */
HF_MUST_USE int hf_hostlife_unit_text(struct hf_view template_text, const char *paths, struct hf_buf *out,
                                      struct hf_err *err);
bool hf_hostlife_unit_is_ours(struct hf_view text);

/* NAME="value", as systemd.exec(5) reads EnvironmentFile=. -EINVAL: a value with a line break or another control
 * character. */
HF_MUST_USE int hf_hostlife_add_variable(struct hf_buf *out, const char *name, const char *value, struct hf_err *err);

/* A variable with words for $NAME in ExecStart=: each is one argument again. -EINVAL: as above. */
HF_MUST_USE int hf_hostlife_add_words(struct hf_buf *out, const char *name, char *const *words, size_t n,
                                      struct hf_err *err);
