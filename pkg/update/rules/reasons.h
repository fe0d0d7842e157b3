/* update/rules/reasons.h - every reason that a release's status can show: its meaning, its remedy, its log level. Pure.
 *
 * The names are promises: they appear in EdgeNode.status.updates[].reason, in metrics and in logs. docs/UPDATES.md
 * lists them. */
#pragma once

#include "base/log.h"
#include "update/rules/phase.h"

/* X(name, level of its log line, "what it means", "what to do") */
#define HF_REASONS(X)                                                                                                  \
    X(None, INFO, "no event yet", "nothing")                                                                           \
    /* waiting */                                                                                                      \
    X(Queued, INFO, "another release has its turn, or this one has just arrived", "wait")                              \
    X(NotAdmitted, INFO,                                                                                               \
      "the rollout has not reached this node: status.admission, which holdfast-controller writes, does not admit it",  \
      "wait for the next wave; without a controller, remove strategy or write status.admission")                       \
    X(WindowClosed, INFO, "outside the update windows", "wait for the next window, or change spec.windows")            \
    X(Suspended, INFO, "spec.suspend is true", "set it to false")                                                      \
    X(Held, INFO, "the site holds updates back", "ask the site, or wait for the hold's maximum")                       \
    X(Stale, WARNING, "no contact with the server for longer than staleOk.window", "restore the link")                 \
    X(RetryingLater, INFO, "the last attempt was interrupted", "wait")                                                 \
    /* fetching */                                                                                                     \
    X(Downloading, INFO, "the artifact is being fetched", "wait")                                                      \
    X(DownloadFailed, WARNING, "the artifact's server cannot be reached, or the connection broke",                     \
      "see the message; retried")                                                                                      \
    X(DownloadRefused, WARNING, "the artifact's server answered with an error",                                        \
      "check the URL and the server; retried")                                                                         \
    X(DownloadTooSlow, WARNING, "too few bytes in a minute", "see the link or the server; retried")                    \
    X(ArtifactTooLong, ERROR, "more bytes came than the signed release says", "publish the artifact that was signed")  \
    X(ArtifactTooShort, ERROR, "fewer bytes came than the signed release says",                                        \
      "publish the artifact that was signed")                                                                          \
    X(ArtifactDamaged, ERROR, "the compressed artifact cannot be unpacked", "publish it again")                        \
    X(UrlUnsupported, ERROR, "the URL of the artifact is not http, https or file", "sign a release with another URL")  \
    /* the engine makes and checks the new file */                                                                     \
    X(Patching, INFO, "the new file is being made", "wait")                                                            \
    X(HashMismatch, ERROR, "the new file's SHA-256 is not the signed one", "publish the artifact that was signed")     \
    X(DeltaDamaged, WARNING, "the delta is not the signed one or cannot be applied",                                   \
      "the whole file is fetched instead")                                                                             \
    X(DeltaUnfit, WARNING, "this node lacks the memory or the library that the delta needs", "nothing")                \
    X(DeltaKilled, WARNING, "the agent died while it applied the delta and does not use it again", "nothing")          \
    X(ArchiveInvalid, ERROR, "the tree's archive is damaged or has a forbidden member", "build the archive again")     \
    X(Verified, INFO, "the new file is complete and checked", "wait for the swap")                                     \
    X(DiskFull, ERROR, "a write failed for lack of space or quota", "free space on the target's file system; retried") \
    X(DiskSpaceLow, ERROR, "not enough free space to start", "free space on the target's file system; retried")        \
    X(ReadOnly, ERROR, "the target's file system is read-only", "remount it, or install elsewhere; retried")           \
    X(IoError, ERROR, "reading or writing failed", "see the message and the disk's health; retried")                   \
    X(PermissionDenied, ERROR, "the agent lacks a permission", "see the message")                                      \
    X(OwnershipLost, ERROR, "owner, mode or attributes of the file cannot be kept",                                    \
      "give the agent the right to set them")                                                                          \
    X(StateNotWritable, ERROR, "the state folder cannot be written", "free space or repair it; retried")               \
    X(JournalDamaged, WARNING, "the record of the last update was damaged and set aside", "nothing; it is rebuilt")    \
    /* where it goes */                                                                                                \
    X(PathNotAllowed, ERROR, "install.path is not below an allowed root", "see --update-root")                         \
    X(PathEscapes, ERROR, "a link on the way to install.path leads elsewhere", "remove the link; retried")             \
    X(PathTaken, ERROR, "another release installs to the same path", "give one of them another path")                  \
    X(TargetIsLink, ERROR, "install.path is a symbolic link, and kind is File",                                        \
      "name the file itself, or use kind Tree")                                                                        \
    X(TargetIsFolder, ERROR, "install.path is a folder where a file (or, kind Tree, a link) must be", "move it away")  \
    X(TargetIsSpecial, ERROR, "install.path is a device, socket or pipe", "name a regular file")                       \
    X(TargetIsFile, ERROR, "install.path is a file, and kind is Tree", "move it away, or use kind File")               \
    X(TargetChanged, WARNING, "somebody else changed the installed file during the update", "find out who; retried")   \
    X(KernelTooOld, ERROR, "this kernel lacks openat2, by which the agent opens paths safely", "Linux 5.6 or later")   \
    /* running */                                                                                                      \
    X(Swapping, INFO, "the new file is being put in place", "wait")                                                    \
    X(SwapFailed, WARNING, "the new file could not be put in place, the old one stays", "see the message; retried")    \
    X(HealthPending, INFO, "health checks are running", "wait")                                                        \
    X(HealthPassed, INFO, "every health check passed", "nothing")                                                      \
    X(NoHealthChecks, INFO, "installed; the release has no health checks", "consider adding some")                     \
    X(Drifted, WARNING, "the installed version was changed or removed by somebody else and is put back",               \
      "find out who")                                                                                                  \
    X(AlreadyInstalled, INFO, "the installed file is already the release's", "nothing")                                \
    X(HealthDeadline, ERROR, "the checks did not all pass before the deadline",                                        \
      "see the message; sign a better release")                                                                        \
    X(HealthFailed, ERROR, "a check failed for good", "see the message; sign a better release")                        \
    X(RestartFailed, ERROR, "the service could not be restarted with the new version",                                 \
      "see the message and its journal")                                                                               \
    X(UnitNotFound, ERROR, "install.restart.systemdUnit is not known to systemd", "install the unit; retried")         \
    X(SystemdUnavailable, WARNING, "systemd cannot be reached from here",                                              \
      "run on a host with systemd, or use exec; retried")                                                              \
    X(NoVerdict, ERROR, "three starts of the agent without a result of the health checks",                             \
      "find out what restarts the agent or the node")                                                                  \
    X(RollingBack, WARNING, "the old version is being put back", "wait")                                               \
    X(RollbackFailed, ERROR, "the old version could not be put back", "see the message; retried")                      \
    X(RolledBackBefore, ERROR, "this node has rolled back the same release before", "sign a new release")              \
    /* refused */                                                                                                      \
    X(NoTrustedKeys, ERROR, "the node has no release keys", "put a key into the trust folder")                         \
    X(Unsigned, ERROR, "the release has no signature", "sign it")                                                      \
    X(UnknownKey, ERROR, "signed only by keys this node does not have", "sign with a known key, or add the key")       \
    X(SignatureInvalid, ERROR, "the signature does not match the release", "sign the release as it is")                \
    X(BelowThreshold, ERROR, "fewer valid signatures than the node requires",                                          \
      "add signatures, or the public key of an unknown one to the trust folder")                                       \
    X(TrustUnreadable, ERROR, "the trust folder or a key in it cannot be read", "see the message")                     \
    X(SequenceTooLow, ERROR, "the sequence is below one this node has committed", "raise it, or sign allowDowngrade")  \
    X(Expired, ERROR, "the release's expiry has passed", "sign it with a later one")                                   \
    X(ObjectRefused, ERROR, "the object or its file is invalid", "see the message")                                    \
    /* does not fit */                                                                                                 \
    X(NoArtifactForArch, WARNING, "the release has nothing for this architecture", "nothing, or add an artifact")      \
    X(RequirementsNotMet, WARNING, "the node lacks what the artifact requires", "see the message")                     \
    X(NotInPod, WARNING, "the release needs something that a pod cannot do", "run the agent on the host")

enum hf_reason {
#define HF_REASON_ENUM(name, ...) HF_R_##name,
    HF_REASONS(HF_REASON_ENUM)
#undef HF_REASON_ENUM
        HF_R_COUNT,
};

const char *hf_reason_name(enum hf_reason reason); /* Returns "HealthPassed" and the like; "" for None. */
const char *hf_reason_meaning(enum hf_reason reason);
const char *hf_reason_remedy(enum hf_reason reason);
enum hf_reason hf_reason_of(const char *name); /* Returns HF_R_COUNT if no reason has this name. */

/* Returns the level at which the engine logs a change to this phase. Error: the node cannot do what it should until
 * somebody acts. Warning: the node continues or tries again by itself. Info: all is as it should be. */
enum hf_log_level hf_reason_level(enum hf_phase phase, enum hf_reason reason);

/* Returns the reason for an errno of a file operation. */
enum hf_reason hf_reason_of_errno(int r);
