/* SPDX-License-Identifier: Apache-2.0 */
/* Parses lines of container logs (CRI and Docker) and names of pods' log folders. Pure.
 *
 *   /var/log/pods/<namespace>_<pod>_<uid>/<container>/<restarts>.log    (kubelet)
 *   2026-11-20T08:00:00.123456789Z stdout F the line                    (containerd, CRI-O)
 *
 * F marks a whole line or its last part; after P another part follows. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

struct hf_cri_line {
    uint64_t unix_ns;
    bool is_stderr;
    bool foreign; /* not written by the runtime */
    bool partial;
    struct hf_view text;
};
bool hf_cri_parse(struct hf_view line, struct hf_cri_line *ret_line);
/* Parses a line of Docker's json-file: {"log":"the line\n","stream":"stdout","time":".."}. A log without line break is
 * a part. *scratch: for escapes. */
bool hf_cri_parse_docker(struct hf_view line, struct hf_buf *scratch, struct hf_cri_line *ret_line);

struct hf_cri_pod {
    struct hf_view space, name, uid;
};
/* Parses "<namespace>_<pod>_<uid>"; names have no '_'. */
bool hf_cri_pod_parse(struct hf_view folder, struct hf_cri_pod *ret_pod);
