/* SPDX-License-Identifier: Apache-2.0 */
/* The host's unit and environment file. Pure. */
#pragma once

#include "base/buf.h"
#include "base/err.h"

/* Begins a unit that a pod has installed. */
#define HF_HOSTLIFE_UNIT_MARK "# Installed by the pod of holdfast's DaemonSet"

/* Appends HF_HOSTLIFE_UNIT_MARK and the template, with `paths` ("/a:/b") as ReadWritePaths unless NULL. -EINVAL: a path
 * is not absolute, or has a character that a unit cannot safely hold. */
HF_MUST_USE int hf_hostlife_unit_text(struct hf_view template_text, const char *paths, struct hf_buf *out,
                                      struct hf_err *err);
bool hf_hostlife_unit_is_ours(struct hf_view text);

/* Appends NAME="value" for an EnvironmentFile=. -EINVAL: a control character. */
HF_MUST_USE int hf_hostlife_add_variable(struct hf_buf *out, const char *name, const char *value, struct hf_err *err);

/* Appends a variable, so that $NAME in ExecStart= expands to these arguments. -EINVAL: a control character. */
HF_MUST_USE int hf_hostlife_add_words(struct hf_buf *out, const char *name, char *const *words, size_t n,
                                      struct hf_err *err);
