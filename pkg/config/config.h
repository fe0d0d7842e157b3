/* SPDX-License-Identifier: Apache-2.0 */
/* config/config.h - the node's own configuration, /etc/holdfast/agent.yaml. It limits what objects from the cluster can
 * make this node do.
 *
 * The cluster never writes this file. A node without the file has the defaults of holdfast-agent.yaml(5). From the
 * first hf_config_allows_*() to the end of this file, all functions are pure, and use the defaults if their argument
 * `config` is NULL. Threads: any; a configuration never changes. Memory: the caller owns a configuration and frees it
 * with hf_config_free(). */
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

/* Folders below which releases may be installed, unless the file or --update-root names other folders. */
#define HF_CONFIG_UPDATE_ROOTS "/opt", "/usr/local", "/var/lib/holdfast/payload"

enum {
    HF_CONFIG_MAX_BYTES = 256 << 10, /* maximum size of the file in bytes */
    HF_CONFIG_MAX_ITEMS = 64,        /* maximum number of items in a list */
    HF_CONFIG_MAX_ROOTS = 7,         /* maximum number of items in updateRoots */
    HF_CONFIG_MAX_FAULTS = 32,       /* maximum number of faults that a configuration keeps */
};

struct hf_config;

/* Says whether an object has valid signatures. An unsigned SyncPolicy may do what the field `telemetry` of the file
 * allows; a signed one may also do what `signedPolicies` allows. An unsigned entry of spec.manifests may do what
 * `manifests` allows; a signed one may also do what `signedPolicies.manifests` allows. */
enum hf_config_scope { HF_CONFIG_UNSIGNED, HF_CONFIG_SIGNED, HF_CONFIG_SCOPES };

/* Returns a configuration with the defaults, or NULL if memory runs out. */
struct hf_config *hf_config_new(void);
/* Frees a configuration. Accepts NULL. */
void hf_config_free(struct hf_config *config);
HF_DEFINE_CLEANUP(struct hf_config, hf_config_free)

/* Parses the text of a file. `name` is the file's path for messages. A wrong field or list item is a fault (see
 * hf_config_fault()) and allows nothing. There are three exceptions: a wrong maxSpool, diskReserve or staticPodFolder
 * is a fault too, but leaves its default in effect. A text that is not an AgentConfiguration at all gives the defaults
 * with two restrictions that the owner may have wanted: SyncPolicies and entries of spec.manifests must be signed, and
 * no sealed copy of a Secret may be on the disk. Returns 0, also if the text has faults, or -ENOMEM. */
HF_MUST_USE int hf_config_parse(struct hf_view text, const char *name, struct hf_config **ret_config,
                                struct hf_err *err);

/* Decodes a parsed text. The faults go to *issues with their JSON paths, and not to the new configuration, whose
 * hf_config_n_faults() is 0. Takes a reference to `json`. Returns 0, also if there are issues, or -ENOMEM. */
HF_MUST_USE int hf_config_decode(json_t *json, const char *name, struct hf_config **ret_config,
                                 struct hf_issues *issues);

/* Reads and parses the file `path`. If the file does not exist and `must_exist` is false, the result is the defaults,
 * without a fault. `path` must be absolute and have no symbolic links. The file must be a regular file. The file and
 * each folder above it must belong to root or to the user of this process, and neither their group nor other users may
 * be able to write them. A folder with the sticky bit may be writable for all users. If the file breaks one of these
 * rules, is unreadable, or is missing although `must_exist` is true, the result is that of a text that is not an
 * AgentConfiguration. Blocks. Returns 0, also if the file has faults, or -ENOMEM. */
HF_MUST_USE int hf_config_load(const struct hf_fs_ops *fs, const char *path, bool must_exist,
                               struct hf_config **ret_config, struct hf_err *err);

/* Returns the path of the configuration's file. */
const char *hf_config_name(const struct hf_config *config);

/* Returns false if the configuration stands for an unusable file, such as one that is not an AgentConfiguration. */
bool hf_config_is_usable(const struct hf_config *config);

/* hf_config_n_faults() returns the number of faults found while loading, at most HF_CONFIG_MAX_FAULTS.
 * hf_config_fault() returns the text of fault `i`, such as "/etc/holdfast/agent.yaml:7: telemetry.fils: unknown field;
 * did you mean 'files'?". The configuration owns the text. */
size_t hf_config_n_faults(const struct hf_config *config);
const char *hf_config_fault(const struct hf_config *config, size_t i);

/* Appends the configuration as YAML, one field or list item per line, for a person. Returns 0 or -errno of the
 * buffer. */
HF_MUST_USE int hf_config_format(const struct hf_config *config, struct hf_buf *out);

/* The comment of each hf_config_allows_*() function asks a question. The function returns true if the answer is yes.
 * Otherwise it returns false and sets *err (may be NULL; hf_config_allows_file() has no err). The code is EACCES, or
 * EINVAL if the function checks the form of the item and the form is wrong. If the owner of the file can allow the
 * item, the text of EACCES says how, such as "'/srv/log/x' is not allowed: add '/srv/log/x' to telemetry.files in
 * /etc/holdfast/agent.yaml". The caller adds the names of the object and the field with hf_err_wrap(). */

/* May a policy name this pattern in sources.files? The pattern is an absolute path whose last component may have the
 * wildcards of fnmatch(3). Returns true only if every path that the pattern can match is allowed. */
bool hf_config_allows_file_glob(const struct hf_config *config, enum hf_config_scope scope, const char *glob,
                                struct hf_err *err);
/* May telemetry read this file, which matches a policy's pattern? `path` is absolute and has no symbolic links. */
bool hf_config_allows_file(const struct hf_config *config, enum hf_config_scope scope, const char *path);
/* May a policy name this secret? `ref` is "file:/path" or "env:NAME". If a field is a plain path (tokenFile, keyFile),
 * the caller puts "file:" before it. */
bool hf_config_allows_secret(const struct hf_config *config, enum hf_config_scope scope, const char *ref,
                             struct hf_err *err);
/* May telemetry go to this http or https URL? Checks scheme, host and port. */
bool hf_config_allows_sink(const struct hf_config *config, enum hf_config_scope scope, const char *url,
                           struct hf_err *err);
/* May telemetry come from this broker, "mqtt://host:port" or "mqtts://host:port"? */
bool hf_config_allows_broker(const struct hf_config *config, enum hf_config_scope scope, const char *url,
                             struct hf_err *err);
/* May the agent scrape this URL? Pass own_address = true if the host of the URL is an address of this node. The pattern
 * "localhost" then covers the URL, as it covers URLs with loopback addresses. */
bool hf_config_allows_scrape(const struct hf_config *config, enum hf_config_scope scope, const char *url,
                             bool own_address, struct hf_err *err);
/* May a policy order the agent to make a socket at this path? */
bool hf_config_allows_socket(const struct hf_config *config, enum hf_config_scope scope, const char *path,
                             struct hf_err *err);
/* May a release order the agent to run this program? `program` is the absolute path that is the first word of a
 * command. The default configuration allows every program, because releases are signed. */
bool hf_config_allows_exec(const struct hf_config *config, const char *program, struct hf_err *err);

/* May a release order the agent to restart this systemd unit? The default configuration allows every service, because
 * releases are signed. The program holdfast-units, which restarts units for an agent in a pod, applies the same
 * rule. */
bool hf_config_allows_unit(const struct hf_config *config, const char *unit, struct hf_err *err);

/* The following questions are about one entry of spec.manifests. The default configuration answers no, except that it
 * allows downloads from https servers. */

/* May an entry write static pods of the kubelet? A static pod can have all rights of root on the node. */
bool hf_config_allows_manifest_static_pods(const struct hf_config *config, enum hf_config_scope scope,
                                           struct hf_err *err);
/* May an entry apply objects to the API server, with the rights of the agent's account? */
bool hf_config_allows_manifest_cluster(const struct hf_config *config, enum hf_config_scope scope, struct hf_err *err);
/* May an entry write this file? `path` is an absolute path in normal form without symbolic links; if the path ends with
 * '/', the question is whether the entry may write any file directly in this folder. Whatever the configuration says,
 * the answer is no below /proc, /sys and /dev, below the folders of holdfast in /etc, /var/lib and /run, below the
 * folders from which a kubelet reads static pods, and for names of hf_config_path_is_reserved(). The caller must also
 * ask about its own folders and about other names of all of these (manifests/files/closed.h). */
bool hf_config_allows_manifest_file(const struct hf_config *config, enum hf_config_scope scope, const char *path,
                                    struct hf_err *err);
/* May an entry write a secret to this file? The rules for `path` are those of hf_config_allows_manifest_file(). */
bool hf_config_allows_manifest_secret_file(const struct hf_config *config, enum hf_config_scope scope, const char *path,
                                           struct hf_err *err);
/* May an entry have this file or folder of the node as its source, and read `sub_path` in it? `path` is an absolute
 * path in normal form. `sub_path` is a relative path in normal form; NULL or "" stands for all of `path`. Whatever the
 * configuration says, the answer is no if what the entry reads is a folder of hf_config_manifest_closed(), has one in
 * it or lies below one. The caller must also compare the folders themselves, because links and bind mounts give them
 * other paths. */
bool hf_config_allows_manifest_read(const struct hf_config *config, enum hf_config_scope scope, const char *path,
                                    const char *sub_path, struct hf_err *err);
/* Returns the folders that no entry may read: those that hf_config_allows_manifest_file() always refuses, except those
 * from which a kubelet reads static pods. NULL ends the list. */
const char *const *hf_config_manifest_closed(void);
/* May an entry restart or reload this systemd unit? */
bool hf_config_allows_manifest_unit(const struct hf_config *config, enum hf_config_scope scope, const char *unit,
                                    struct hf_err *err);
/* May an entry run this program? `program` is the absolute path that is the first word of a command. */
bool hf_config_allows_manifest_exec(const struct hf_config *config, enum hf_config_scope scope, const char *program,
                                    struct hf_err *err);
/* May an entry download from this http or https URL? Checks scheme, host and port. */
bool hf_config_allows_manifest_origin(const struct hf_config *config, enum hf_config_scope scope, const char *url,
                                      struct hf_err *err);

/* Returns true if `path` is the folder `folder` or lies below it. Both are absolute paths; `path` is in normal form,
 * and `folder` may end with '/'. */
bool hf_config_path_is_within(const char *path, const char *folder);

/* Returns true if a component of the absolute path begins with ".holdfast-". These names are holdfast's own: floors of
 * releases, and files that are not in place yet. */
bool hf_config_path_is_reserved(const char *path);

/* Returns true if the agent acts only on signed entries of spec.manifests. */
bool hf_config_requires_signed_manifests(const struct hf_config *config);
/* Returns the folder from which the kubelet reads static pods. NULL: the file names none, and the agent searches for
 * the folder. */
const char *hf_config_static_pod_folder(const struct hf_config *config);
/* May a policy with clock.resync make the agent ask the time service of this node to synchronize? The default is yes,
 * because the service takes the time from its own servers. */
bool hf_config_allows_clock_resync(const struct hf_config *config, struct hf_err *err);
/* How the agent uses the TPM of the node. */
struct hf_config_tpm {
    bool seals_secrets; /* true if sealed copies of Secrets may be on the disk; default true */
    bool counts_floors; /* true if the floor counter in the TPM proves that the floors are the newest; default false */
    const char *tcti;   /* "device:PATH" or "swtpm:CONFIGURATION" (tpm/chip.h); borrowed */
    uint32_t pcrs;      /* bit N: a sealed copy opens only while PCR N has the value from the time of sealing */
};
struct hf_config_tpm hf_config_tpm(const struct hf_config *config);
/* Returns true if the list `units` has the full name of this unit; a matching pattern is not enough. */
bool hf_config_names_unit(const struct hf_config *config, const char *unit);

/* Returns the update roots: absolute paths in normal form, at most HF_CONFIG_MAX_ROOTS; NULL ends the array. */
const char *const *hf_config_update_roots(const struct hf_config *config);
/* Returns the size in bytes of the largest spool that a policy may ask for. */
uint64_t hf_config_max_spool_bytes(const struct hf_config *config, enum hf_config_scope scope);
/* Returns how many bytes the agent's files must leave free on a file system with a size of `disk_bytes`. */
uint64_t hf_config_disk_reserve_bytes(const struct hf_config *config, uint64_t disk_bytes);
/* Returns true if the agent acts only on SyncPolicies with valid signatures. */
bool hf_config_requires_signed_policy(const struct hf_config *config);
