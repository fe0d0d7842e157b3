/* SPDX-License-Identifier: Apache-2.0 */
/* The node's own configuration, /etc/holdfast/agent.yaml, which limits what the cluster can make this node do.
 *
 * The cluster never writes it. Without the file, and for `config` NULL from hf_config_allows_*() on, the defaults of
 * holdfast-agent.yaml(5) apply. Those functions are pure. Threads: any; a configuration never changes. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/field/issues.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/fs.h"
#include "base/macros.h"
#include "codec/json.h"

#define HF_CONFIG_FILE "/etc/holdfast/agent.yaml"
#define HF_CONFIG_KIND "AgentConfiguration"

/* Applies unless the file or --update-root names other folders. */
#define HF_CONFIG_UPDATE_ROOTS "/opt", "/usr/local", "/var/lib/holdfast/payload"

enum {
    HF_CONFIG_MAX_BYTES = 256 << 10,
    HF_CONFIG_MAX_ITEMS = 64, /* in a list */
    HF_CONFIG_MAX_ROOTS = 7,  /* in updateRoots */
    HF_CONFIG_MAX_FAULTS = 32,
};

struct hf_config;

/* UNSIGNED objects may do what `telemetry` or `manifests` allows; SIGNED ones also what `signedPolicies` or
 * `signedPolicies.manifests` allows. */
enum hf_config_scope { HF_CONFIG_UNSIGNED, HF_CONFIG_SIGNED, HF_CONFIG_SCOPES };

/* The defaults. */
struct hf_config *hf_config_new(void);
void hf_config_free(struct hf_config *config);
HF_DEFINE_CLEANUP(struct hf_config, hf_config_free)

/* A wrong field or item is a fault and allows nothing; a wrong maxSpool, diskReserve or staticPodFolder keeps its
 * default. A text that is no AgentConfiguration gives the defaults, with signatures required and no sealed Secrets on
 * disk. Returns 0 also with faults, or -ENOMEM. */
HF_MUST_USE int hf_config_parse(struct hf_view text, const char *name, struct hf_config **ret_config,
                                struct hf_err *err);

/* From a parsed text; faults go to *issues with JSON paths instead. Returns 0 also then, or -ENOMEM. */
HF_MUST_USE int hf_config_decode(json_t *json, const char *name, struct hf_config **ret_config,
                                 struct hf_issues *issues);

/* `path`: absolute, without links, a regular file. It and each folder above belong to root or this process's user; no
 * other user may write them (except a folder with the sticky bit). Otherwise, or unreadable, or missing although
 * `must_exist`, it is as a text that is no AgentConfiguration; else a missing file gives the defaults. Blocks. Returns
 * 0 also with faults, or -ENOMEM. */
HF_MUST_USE int hf_config_load(const struct hf_fs_ops *fs, const char *path, bool must_exist,
                               struct hf_config **ret_config, struct hf_err *err);

const char *hf_config_name(const struct hf_config *config);

/* False: the file could not be used. */
bool hf_config_is_usable(const struct hf_config *config);

/* Such as "/etc/holdfast/agent.yaml:7: telemetry.fils: unknown field; did you mean 'files'?". */
size_t hf_config_n_faults(const struct hf_config *config);
const char *hf_config_fault(const struct hf_config *config, size_t i);

/* Makes "<fault>; <more>" the first one. */
HF_MUST_USE int hf_config_put_fault(struct hf_config *config, const char *fault, const char *more);

/* YAML, a field or item per line. */
HF_MUST_USE int hf_config_format(const struct hf_config *config, struct hf_buf *out);

/* False sets *err (may be NULL): EINVAL for a wrong form, else EACCES with the way to allow it, "'/srv/log/x' is not
 * allowed: add '/srv/log/x' to telemetry.files in /etc/holdfast/agent.yaml"; wrap it with hf_err_wrap(). */

/* sources.files: absolute, wildcards of fnmatch(3) in the last component. True only if every match is allowed. */
bool hf_config_allows_file_glob(const struct hf_config *config, enum hf_config_scope scope, const char *glob,
                                struct hf_err *err);
/* `path`: absolute, without links; it matches a policy's pattern. */
bool hf_config_allows_file(const struct hf_config *config, enum hf_config_scope scope, const char *path);
/* "file:/path" or "env:NAME"; put "file:" before plain paths (tokenFile, keyFile). */
bool hf_config_allows_secret(const struct hf_config *config, enum hf_config_scope scope, const char *ref,
                             struct hf_err *err);
/* `url`: http or https. Checks scheme, host and port. */
bool hf_config_allows_sink(const struct hf_config *config, enum hf_config_scope scope, const char *url,
                           struct hf_err *err);
/* `url`: "mqtt://host:port" or "mqtts://host:port". */
bool hf_config_allows_broker(const struct hf_config *config, enum hf_config_scope scope, const char *url,
                             struct hf_err *err);
/* own_address: the host is this node's, so that "localhost" covers it. */
bool hf_config_allows_scrape(const struct hf_config *config, enum hf_config_scope scope, const char *url,
                             bool own_address, struct hf_err *err);
/* A socket that a policy makes the agent create. */
bool hf_config_allows_socket(const struct hf_config *config, enum hf_config_scope scope, const char *path,
                             struct hf_err *err);
/* Absolute path of the program. All by default. */
bool hf_config_allows_exec(const struct hf_config *config, const char *program, struct hf_err *err);

/* All services by default; also for holdfast-units. */
bool hf_config_allows_unit(const struct hf_config *config, const char *unit, struct hf_err *err);

/* Entries of spec.manifests. By default only downloads from https. */

/* Static pods can have all rights of root on the node. */
bool hf_config_allows_manifest_static_pods(const struct hf_config *config, enum hf_config_scope scope,
                                           struct hf_err *err);
/* With the rights of the agent's account. */
bool hf_config_allows_manifest_cluster(const struct hf_config *config, enum hf_config_scope scope, struct hf_err *err);
/* `path`: absolute, normal, without links; with '/' at the end, any file directly in it. Never below /proc, /sys, /dev,
 * holdfast's folders in /etc, /var/lib and /run, a kubelet's folders of static pods, and never
 * hf_config_path_is_reserved(). The caller also asks about its own folders and other names of these
 * (manifests/files/closed.h). */
bool hf_config_allows_manifest_file(const struct hf_config *config, enum hf_config_scope scope, const char *path,
                                    struct hf_err *err);
bool hf_config_allows_manifest_secret_file(const struct hf_config *config, enum hf_config_scope scope, const char *path,
                                           struct hf_err *err);
/* `sub_path`: relative, normal; NULL or "": all. Never hf_config_manifest_closed(), a part of one, or what has one in
 * it. The caller also compares the folders themselves: links and bind mounts give other paths. */
bool hf_config_allows_manifest_read(const struct hf_config *config, enum hf_config_scope scope, const char *path,
                                    const char *sub_path, struct hf_err *err);
/* The folders that no entry may read: those that none may write, except a kubelet's folders of static pods. */
const char *const *hf_config_manifest_closed(void);
bool hf_config_allows_manifest_unit(const struct hf_config *config, enum hf_config_scope scope, const char *unit,
                                    struct hf_err *err);
/* `program`: absolute. */
bool hf_config_allows_manifest_exec(const struct hf_config *config, enum hf_config_scope scope, const char *program,
                                    struct hf_err *err);
/* `url`: http or https. Checks scheme, host and port. */
bool hf_config_allows_manifest_origin(const struct hf_config *config, enum hf_config_scope scope, const char *url,
                                      struct hf_err *err);

/* Absolute; `path` is normal, `folder` may end with '/'. */
bool hf_config_path_is_within(const char *path, const char *folder);

/* A component begins with ".holdfast-": floors of releases, and unfinished files. */
bool hf_config_path_is_reserved(const char *path);

bool hf_config_requires_signed_manifests(const struct hf_config *config);
/* NULL: the agent searches for the kubelet's folder. */
const char *hf_config_static_pod_folder(const struct hf_config *config);
/* Default yes: the time service has its own servers. */
bool hf_config_allows_clock_resync(const struct hf_config *config, struct hf_err *err);
/* `page`: what the page of this node lets its viewers do. Default READ; a wrong value: NONE. */
enum hf_config_page { HF_CONFIG_PAGE_NONE, HF_CONFIG_PAGE_READ, HF_CONFIG_PAGE_ACT, HF_CONFIG_PAGES };
const char *hf_config_page_name(enum hf_config_page page);
enum hf_config_page hf_config_page(const struct hf_config *config);
struct hf_config_tpm {
    bool seals_secrets; /* on disk; default */
    bool counts_floors; /* proves the floors the newest; not default */
    const char *tcti;   /* "device:PATH" or "swtpm:CONFIGURATION" (tpm/chip.h) */
    uint32_t pcrs;      /* bit N: opens only while PCR N is unchanged */
};
struct hf_config_tpm hf_config_tpm(const struct hf_config *config);
/* Sharing with the neighbours of the site (share/share.h). */
#define HF_CONFIG_SHARE_PORT 9094
#define HF_CONFIG_SHARE_BYTES_PER_S (UINT64_C(8) << 20)
struct hf_config_share {
    bool neighbours; /* allowed; not default */
    uint64_t port, bytes_per_s;
    const char *ca_file, *cert_file, *key_file; /* NULL: the agent finds them */
};
struct hf_config_share hf_config_share(const struct hf_config *config);
/* `units` lists the unit by its full name; a pattern is not enough. */
bool hf_config_names_unit(const struct hf_config *config, const char *unit);

/* Absolute, normal paths. */
const char *const *hf_config_update_roots(const struct hf_config *config);
uint64_t hf_config_max_spool_bytes(const struct hf_config *config, enum hf_config_scope scope);
/* Bytes to leave free on a file system of `disk_bytes`. */
uint64_t hf_config_disk_reserve_bytes(const struct hf_config *config, uint64_t disk_bytes);
bool hf_config_requires_signed_policy(const struct hf_config *config);
