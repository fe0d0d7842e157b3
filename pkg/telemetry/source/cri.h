/* SPDX-License-Identifier: Apache-2.0 */
/* Container logs (CRI and Docker) and pods' log folders. Pure.
 *
 *   /var/log/pods/<namespace>_<pod>_<uid>/<container>/<restarts>.log    (kubelet; Kubernetes' "kubelet-cri-logging")
 *   2026-11-20T08:00:00.123456789Z stdout F the line                    (containerd, CRI-O)
 *
 * F: a whole line or its last part; P: another part follows. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

struct hf_cri_line {
    uint64_t unix_ns;
    bool is_stderr;
    bool foreign; /* not a line that the runtime wrote */
    bool partial;
    struct hf_view text;
};
bool hf_cri_parse(struct hf_view line, struct hf_cri_line *ret_line);
/* json-file: {"log":"the line\n","stream":"stdout","time":".."}; without line break a part. *scratch: for escapes. */
bool hf_cri_parse_docker(struct hf_view line, struct hf_buf *scratch, struct hf_cri_line *ret_line);

struct hf_cri_pod {
    struct hf_view space, name, uid;
};
/* No '_' in names. */
bool hf_cri_pod_parse(struct hf_view folder, struct hf_cri_pod *ret_pod);
