/* SPDX-License-Identifier: Apache-2.0 */
/* The host's unit and environment file. Pure. */
#pragma once

#include "base/buf.h"
#include "base/err.h"

/* By this line a unit is ours. */
#define HF_HOSTLIFE_UNIT_MARK "# Installed by the pod of holdfast's DaemonSet"

/* HF_HOSTLIFE_UNIT_MARK, then the template; `paths` ("/a:/b") replace its ReadWritePaths, NULL keeps them. -EINVAL: a
 * path is not absolute, or has a character that the unit cannot safely hold. */
HF_MUST_USE int hf_hostlife_unit_text(struct hf_view template_text, const char *paths, struct hf_buf *out,
                                      struct hf_err *err);
bool hf_hostlife_unit_is_ours(struct hf_view text);

/* NAME="value", by systemd.exec(5)'s EnvironmentFile=. -EINVAL: a control character. */
HF_MUST_USE int hf_hostlife_add_variable(struct hf_buf *out, const char *name, const char *value, struct hf_err *err);

/* Words for $NAME in ExecStart=, an argument each. -EINVAL. */
HF_MUST_USE int hf_hostlife_add_words(struct hf_buf *out, const char *name, char *const *words, size_t n,
                                      struct hf_err *err);
