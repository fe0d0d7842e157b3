/* SPDX-License-Identifier: Apache-2.0 */
/* Phases and reasons in EdgeNode.status.manifests. Pure. */
#pragma once

#include <stdbool.h>

#define HF_MANIFEST_PHASES(X)                                                                                          \
    X(WAITING, "Waiting")                                                                                              \
    X(FETCHING, "Fetching")                                                                                            \
    X(APPLYING, "Applying")                                                                                            \
    X(PROBATION, "Probation")                                                                                          \
    X(APPLIED, "Applied")                                                                                              \
    X(ROLLING_BACK, "RollingBack")                                                                                     \
    X(ROLLED_BACK, "RolledBack")                                                                                       \
    X(REFUSED, "Refused")

enum hf_manifest_phase {
#define HF_MANIFEST_PHASE_ENUM(constant, name) HF_MANIFEST_##constant,
    HF_MANIFEST_PHASES(HF_MANIFEST_PHASE_ENUM)
#undef HF_MANIFEST_PHASE_ENUM
        HF_MANIFEST_PHASE_COUNT,
};

#define HF_MANIFEST_REASONS(X)                                                                                         \
    X(NONE, "", "there is no reason to give")                                                                          \
    X(APPLIED, "Applied", "the content of the source is in place")                                                     \
    X(DRIFT_REPAIRED, "DriftRepaired", "somebody changed what the entry manages, and the node has put it back")        \
    X(SOURCE_UNREACHABLE, "SourceUnreachable", "the source does not answer; what is in place stays")                   \
    X(SOURCE_GONE, "SourceGone", "the source was deleted or is absent; what is in place stays")                        \
    X(SOURCE_EMPTY, "SourceEmpty", "the source has no files; what is in place stays")                                  \
    X(SOURCE_TRUNCATED, "SourceTruncated", "the archive ends too early")                                               \
    X(SOURCE_TOO_LARGE, "SourceTooLarge", "the source has more files or bytes than an entry may have")                 \
    X(SOURCE_INVALID, "SourceInvalid", "the source has names, links or devices that no entry may have")                \
    X(DIGEST_MISMATCH, "DigestMismatch", "the content is not the one that the digest pins")                            \
    X(CONTENT_NOT_PINNED, "ContentNotPinned", "the entry is signed, but no digest pins its content")                   \
    X(UNSIGNED, "Unsigned", "the node takes only signed entries, and this one is not signed")                          \
    X(SIGNATURE_INVALID, "SignatureInvalid", "too few trusted keys have signed the entry")                             \
    X(SEQUENCE_TOO_LOW, "SequenceTooLow", "the node has accepted a later version of the entry")                        \
    X(NOT_ALLOWED, "NotAllowed", "the configuration of the node does not allow what the entry asks for")               \
    X(SUBSTITUTE_FAILED, "SubstituteFailed", "a variable in a file has no value")                                      \
    X(NOT_MANIFESTS, "NotManifests", "a document is not a Kubernetes object of the kind that the target takes")        \
    X(FOREIGN_FILE, "ForeignFile", "there is a file that holdfast did not write; `force` replaces it")                 \
    X(PRUNE_LIMIT, "PruneLimit", "the removal of so many items waits for the annotation that allows it")               \
    X(NO_POLICY, "NoPolicy", "no policy in effect has the entry; what is in place stays until removalGrace is over")   \
    X(VALIDATE_FAILED, "ValidateFailed", "the command of `validate` did not accept the candidate")                     \
    X(RESTART_FAILED, "RestartFailed", "the unit did not restart or reload")                                           \
    X(HEALTH_FAILED, "HealthFailed", "a health check did not pass in time")                                            \
    X(HEALTH_PASSED, "HealthPassed", "the health checks passed")                                                       \
    X(HEALTH_UNKNOWN, "HealthUnknown", "the static pods are written, and nobody could be asked whether they run")      \
    X(WRITE_FAILED, "WriteFailed", "a file could not be written")                                                      \
    X(NO_SPACE, "NoSpace", "the disk is too full")                                                                     \
    X(READ_ONLY_FILE_SYSTEM, "ReadOnlyFileSystem", "the file system of the target is read-only")                       \
    X(CONTENT_PACED, "ContentPaced", "the source changes too often: the node takes up its newest content later")       \
    X(DEPENDENCY_NOT_APPLIED, "DependencyNotApplied", "an entry of `dependsOn` is not applied")                        \
    X(LINK_QUOTA_USED, "LinkQuotaUsed", "spec.connectivity.maxBytesPerDay is used up: the download waits")             \
    X(WINDOW_CLOSED, "WindowClosed", "transfers wait for a window of spec.connectivity")                               \
    X(HELD, "Held", "the site holds changes")                                                                          \
    X(STALE, "Stale", "contact is lost for longer than staleOk.window, and onExpiry is Hold")                          \
    X(CLOCK_UNSURE, "ClockUnsure", "the clock is too uncertain to know whether a window is open")                      \
    X(TARGET_MISSING, "TargetMissing", "the kubelet's folder of static pods was not found")                            \
    X(API_REFUSED, "ApiRefused", "the API server refused an object")                                                   \
    X(API_UNREACHABLE, "ApiUnreachable", "the API server does not answer")                                             \
    X(IMMUTABLE, "Immutable", "a field cannot change; `force` deletes and creates the object")                         \
    X(CONFLICT, "Conflict", "another manager owns a field; `force` takes it over")                                     \
    X(NOT_READY, "NotReady", "an object did not become ready in time")                                                 \
    X(SECRET_ABSENT, "SecretAbsent", "the secret is not on the node until the API server answers")                     \
    X(NOT_TMPFS, "NotTmpfs", "the path of a secret is not below a tmpfs")                                              \
    X(UNSUPPORTED, "Unsupported", "this build or this way of running the agent cannot do it")

enum hf_manifest_reason {
#define HF_MANIFEST_REASON_ENUM(constant, name, meaning) HF_MANIFEST_REASON_##constant,
    HF_MANIFEST_REASONS(HF_MANIFEST_REASON_ENUM)
#undef HF_MANIFEST_REASON_ENUM
        HF_MANIFEST_REASON_COUNT,
};

const char *hf_manifest_phase_name(enum hf_manifest_phase phase);
const char *hf_manifest_reason_name(enum hf_manifest_reason reason);
