/* SPDX-License-Identifier: Apache-2.0 */
/* telemetry/source/cri.h - parses the lines of container logs (of CRI runtimes and of Docker), and the names of the
 * folders that hold the logs of pods. Pure.
 *
 * /var/log/pods/<namespace>_<pod>_<uid>/<container>/<restarts>.log 2026-11-20T08:00:00.123456789Z stdout F the line
 *
 * F marks a whole line, or the last part of a line. P marks a part of a line; another part of the same line follows.
 *
 * The kubelet defines the path, and containerd and CRI-O write the lines (Kubernetes' "kubelet-cri-logging"). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

struct hf_cri_line {
    uint64_t unix_ns;
    bool is_stderr;
    bool foreign; /* true if the runtime did not write the line, so that its stream is unknown */
    bool partial; /* true for P: another part of the same line follows */
    struct hf_view text;
};
/* Parses a line of a container log, which has the form `<time> <stdout or stderr> <F or P> <text>`. Returns false if
 * the line has another form. */
bool hf_cri_parse(struct hf_view line, struct hf_cri_line *ret_line);
/* Parses a line of Docker's driver json-file, {"log":"the line\n","stream":"stdout","time":"..."}. A text without a
 * line break at its end is a part. *scratch, which each call clears, holds the text if it has escapes. Returns false if
 * the line has another form. */
bool hf_cri_parse_docker(struct hf_view line, struct hf_buf *scratch, struct hf_cri_line *ret_line);

struct hf_cri_pod {
    struct hf_view space, name, uid; /* namespace, name and uid of the pod */
};
/* Parses the name of a pod's folder, <namespace>_<pod>_<uid>. The three parts are unambiguous because names of
 * Kubernetes objects contain no '_'. Returns false if the name does not have this form. */
bool hf_cri_pod_parse(struct hf_view folder, struct hf_cri_pod *ret_pod);
