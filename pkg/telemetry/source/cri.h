/* telemetry/source/cri.h - parses the lines and the paths of the kubelet's container logs. Pure.
 *
 *     /var/log/pods/<namespace>_<pod>_<uid>/<container>/<restarts>.log
 *     2026-11-20T08:00:00.123456789Z stdout F the line
 *
 * F marks a whole line, or the last part of a line. P marks a part that is followed by another part.
 *
 * The format is Kubernetes' "kubelet-cri-logging"; containerd and CRI-O write it. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

struct hf_cri_line {
    uint64_t unix_ns;
    bool is_stderr;
    bool partial;
    struct hf_view text;
};
/* Parses a line. False: the line does not have this form. */
bool hf_cri_parse(struct hf_view line, struct hf_cri_line *ret_line);

struct hf_cri_pod {
    struct hf_view space, name, uid;
};
/* Parses the name of a pod's folder, which is clear because names of Kubernetes objects contain no '_'. False: the name
 * does not have this form. */
bool hf_cri_pod_parse(struct hf_view folder, struct hf_cri_pod *ret_pod);
