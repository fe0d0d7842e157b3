/* SPDX-License-Identifier: Apache-2.0 */
/* Values of EdgeNode.status.updates[].reason, also in metrics and logs: names must not change. List:
 * docs/reference/symptoms.md. Pure. */
#pragma once

#include "api/update/phase.h"
#include "base/log.h"

/* X(name, log level, "meaning", "remedy") */
#define HF_REASONS(X)                                                                                                  \
    X(None, INFO, "no event yet", "nothing")                                                                           \
    /* waiting */                                                                                                      \
    X(Queued, INFO, "another release goes first, or this one is new", "wait")                                          \
    X(NotAdmitted, INFO,                                                                                               \
      "the rollout has not reached this node: status.admission, which holdfast-controller writes, does not admit it",  \
      "wait for the next wave; without a controller, remove strategy or write status.admission")                       \
    X(WindowClosed, INFO, "no update window is open", "wait for the next window, or change spec.windows")              \
    X(Suspended, INFO, "spec.suspend is true", "set spec.suspend to false")                                            \
    X(Held, INFO, "the site holds updates back", "ask the site, or wait for the hold's maximum")                       \
    X(HeldBack, WARNING, "the site went back to the version before (holdfast rollback --local)",                       \
      "ask the site; holdfast rollback --local --undo on the node ends it, and so does a higher sequence")             \
    X(Stale, WARNING, "no contact with the server for longer than staleOk.window",                                     \
      "restore the network to the server")                                                                             \
    X(ClockUnsure, WARNING, "the evidence of the time leaves open if the release has expired or a window is open",     \
      "synchronize the node's clock, or restore the network to the server")                                            \
    X(TurnPending, INFO,                                                                                               \
      "the new file is ready; the swap waits for the turn that holdfast-controller writes to this node's EdgeNode",    \
      "wait; without a controller, write spec.turns, or remove strategy.disruption")                                   \
    X(WriteBudgetUsed, INFO, "the budget of the policy for writes within a day (spec.disk.writeBudget) is used up",    \
      "wait, or raise spec.disk.writeBudget")                                                                          \
    X(LinkWindowClosed, INFO, "no window for bulk transfers (spec.connectivity.windows of the policy) is open",        \
      "wait for the next window, or change spec.connectivity.windows")                                                 \
    X(LinkQuotaUsed, INFO,                                                                                             \
      "the bytes that the policy allows within a day (spec.connectivity.maxBytesPerDay) are used up",                  \
      "wait, or raise spec.connectivity.maxBytesPerDay")                                                               \
    X(ImagesPending, INFO, "spec.waitForImages: not all images that the policy prefetches are on the node",            \
      "see the condition ImagesReady; ask for images in spec.images, or remove spec.waitForImages")                    \
    X(FloorsPending, INFO, "the agent compares the floors with the TPM's counter, or has the TPM count a new floor",   \
      "wait")                                                                                                          \
    X(FloorsReplaced, ERROR, "the floors on this node's disk are older than the TPM's counter says",                   \
      "find out who put an old disk or backup into the node; then run holdfast-tpm accept-floors on it")               \
    X(TpmReplaced, ERROR, "another TPM sealed the record of the floors, or this TPM was cleared",                      \
      "find out who changed the node; then run holdfast-tpm accept-floors on it")                                      \
    X(TpmMissing, ERROR, "tpm.floors in /etc/holdfast/agent.yaml of the node is on, and the agent finds no TPM",       \
      "see the message; give the agent the TPM, or switch tpm.floors off; the agent retries")                          \
    X(TpmLocked, ERROR, "the TPM is locked out, or its owner hierarchy has a password",                                \
      "end the lockout or take the password away; the agent retries")                                                  \
    X(TpmFull, ERROR, "the TPM has no room for the counter of the floors",                                             \
      "remove an NV index that nothing needs; the agent retries")                                                      \
    X(TpmFailed, WARNING, "the TPM does not answer, or refuses", "see the message; the agent retries")                 \
    X(RetryingLater, INFO, "the last attempt was interrupted", "wait")                                                 \
    /* fetching */                                                                                                     \
    X(Downloading, INFO, "the agent downloads the artifact", "wait")                                                   \
    X(DownloadFailed, WARNING, "the artifact's server is out of reach, or the connection broke",                       \
      "see the message; the agent retries")                                                                            \
    X(DownloadRefused, WARNING, "the artifact's server answered with an error",                                        \
      "check the URL and the server; the agent retries")                                                               \
    X(DownloadTooSlow, WARNING, "the download received too few bytes in a minute",                                     \
      "check the link and the server; the agent retries")                                                              \
    X(ArtifactTooLong, ERROR, "the server sent more bytes than the signed release states",                             \
      "publish the artifact that was signed")                                                                          \
    X(ArtifactTooShort, ERROR, "the server sent fewer bytes than the signed release states",                           \
      "publish the artifact that was signed")                                                                          \
    X(ArtifactDamaged, ERROR, "the compressed artifact is damaged", "publish the artifact again")                      \
    X(UrlUnsupported, ERROR, "the URL of the artifact is not http, https or file", "sign a release with another URL")  \
    /* making and checking the new file */                                                                             \
    X(Patching, INFO, "the agent makes the new file", "wait")                                                          \
    X(HashMismatch, ERROR, "the SHA-256 of the download or of the new file is not the signed one",                     \
      "publish the artifact that was signed")                                                                          \
    X(DeltaDamaged, WARNING, "the delta is not the signed one, or does not apply",                                     \
      "the agent downloads the whole file")                                                                            \
    X(DeltaUnfit, WARNING, "this node lacks the memory or the library that the delta needs", "nothing")                \
    X(DeltaKilled, WARNING, "the agent died while it applied the delta, and does not use this delta again", "nothing") \
    X(ArchiveInvalid, ERROR, "the tree's archive is damaged or has a forbidden member", "build the archive again")     \
    X(Verified, INFO, "the new file is complete and has the signed hash", "wait for the swap")                         \
    X(NotKept, ERROR, "the site's order to go back needs content that this node does not keep",                        \
      "set what the message names (retain.previous) for the next time; now, sign the old files as a new release")      \
    X(DiskFull, ERROR, "a write failed for lack of space or quota",                                                    \
      "free space on the target's file system; the agent retries")                                                     \
    X(DiskSpaceLow, ERROR, "not enough free space to start",                                                           \
      "free space on the target's file system; the agent retries")                                                     \
    X(ReadOnly, ERROR, "the target's file system is read-only", "remount it, or install elsewhere; the agent retries") \
    X(IoError, ERROR, "reading or writing failed", "see the message and check the disk; the agent retries")            \
    X(PermissionDenied, ERROR, "the agent lacks a permission", "see the message; grant the permission")                \
    X(OwnershipLost, ERROR, "the agent cannot keep owner, mode or attributes of the file",                             \
      "give the agent the right to set them")                                                                          \
    X(StateNotWritable, ERROR, "the agent cannot write its state folder",                                              \
      "free space on its disk or repair it; the agent retries")                                                        \
    X(JournalDamaged, WARNING, "the record of the last update was damaged, and the agent set it aside",                \
      "the agent rebuilds it")                                                                                         \
    /* the install path */                                                                                             \
    X(PathNotAllowed, ERROR, "install.path is not below an update root",                                               \
      "install below one, or add one to updateRoots in /etc/holdfast/agent.yaml of the node")                          \
    X(ExecNotAllowed, ERROR, "the node's configuration does not allow a command of the release",                       \
      "add the program to exec in /etc/holdfast/agent.yaml of the node, or sign a release without it")                 \
    X(UnitNotAllowed, ERROR, "the node's configuration does not allow the restart of the release's unit",              \
      "add the unit to units in /etc/holdfast/agent.yaml of the node, or sign a release without it")                   \
    X(OwnProgram, ERROR, "the release would replace or restart the agent itself",                                      \
      "update the agent as it was installed")                                                                          \
    X(PathEscapes, ERROR, "a symbolic link in install.path leads out of the update root",                              \
      "remove the link; the agent retries")                                                                            \
    X(PathTaken, ERROR, "another release installs to the same path", "give one of them another path")                  \
    X(TargetIsLink, ERROR, "install.path is a symbolic link, and kind is File",                                        \
      "name the file itself, or use kind Tree")                                                                        \
    X(TargetIsFolder, ERROR, "install.path is a folder where a file (or, kind Tree, a link) must be", "move it away")  \
    X(TargetIsSpecial, ERROR, "install.path is a device, socket or pipe", "name a regular file")                       \
    X(TargetIsFile, ERROR, "install.path is a file, and kind is Tree", "move it away, or use kind File")               \
    X(TargetChanged, WARNING, "somebody else changed the installed file during the update",                            \
      "find the program that did it")                                                                                  \
    X(TargetUnsafe, ERROR, "another user may write a folder of install.path, and could swap files there",              \
      "give the folder to root and take the write permission of group and others away; the agent retries")             \
    X(KernelTooOld, ERROR, "this kernel lacks openat2, with which the agent opens paths safely",                       \
      "upgrade to Linux 5.6 or later")                                                                                 \
    /* running */                                                                                                      \
    X(Swapping, INFO, "the agent puts the new file in place", "wait")                                                  \
    X(SwapFailed, WARNING, "the agent could not put the new file in place; the old one stays",                         \
      "see the message; the agent retries")                                                                            \
    X(HealthPending, INFO, "health checks are running", "wait")                                                        \
    X(HealthPassed, INFO, "every health check passed", "nothing")                                                      \
    X(NoHealthChecks, INFO, "the release is installed and has no health checks", "consider adding some")               \
    X(Drifted, WARNING, "somebody changed or removed the installed file, and the agent restores it",                   \
      "find the program that did it")                                                                                  \
    X(RightsRestored, WARNING, "somebody changed mode or owner of the installed files, and the agent restored them",   \
      "find the program that did it")                                                                                  \
    X(AlreadyInstalled, INFO, "the installed file is already that of the release", "nothing")                          \
    X(HealthDeadline, ERROR, "not all health checks passed before the deadline",                                       \
      "see the message; sign a better release")                                                                        \
    X(HealthFailed, ERROR, "a health check failed for good", "see the message; sign a better release")                 \
    X(RebootPending, INFO, "the new version is in place, and the node must reboot", "wait")                            \
    X(RebootFailed, ERROR, "the new version is in place, and the node did not reboot",                                 \
      "see the message; the agent retries")                                                                            \
    X(BootFailed, ERROR, "the release failed after a reboot of the node, within its probationBoots",                   \
      "see the message; sign a better release")                                                                        \
    X(HookFailed, ERROR,                                                                                               \
      "a hook of the release failed: before the swap, the old version stays and the agent tries again",                \
      "see the message; sign a release with another hook, or repair what the hook needs")                              \
    X(RestartFailed, ERROR, "the service did not restart with the new version",                                        \
      "see the message and the service's journal")                                                                     \
    X(AgentFailed, ERROR, "the supervisor gave the new agent up and started the old one again",                        \
      "see the message; sign a better release")                                                                        \
    X(UnitNotFound, ERROR, "systemd has no unit install.restart.systemdUnit", "install the unit; the agent retries")   \
    X(SystemdUnavailable, WARNING, "the agent cannot reach systemd",                                                   \
      "run on a host with systemd, or use exec; the agent retries")                                                    \
    X(NoVerdict, ERROR, "the agent started three times without a result of the health checks",                         \
      "find out what restarts the agent or the node")                                                                  \
    X(AgentUnproven, INFO, "the agent that runs is on trial itself, and is replaced only after it was healthy",        \
      "wait")                                                                                                          \
    X(RollingBack, WARNING, "the agent restores the old version", "wait")                                              \
    X(RollbackFailed, ERROR, "the agent could not restore the old version", "see the message; the agent retries")      \
    X(RolledBackBefore, ERROR, "this node has rolled back the same release before", "sign a new release")              \
    /* refused */                                                                                                      \
    X(NoTrustedKeys, ERROR, "the node's trust folder has no keys", "put a public key into the trust folder")           \
    X(Unsigned, ERROR, "the release has no signature", "sign the release")                                             \
    X(UnknownKey, ERROR, "no key of the trust folder has signed the release",                                          \
      "sign with one of its keys, or add the public key to it")                                                        \
    X(SignatureInvalid, ERROR, "the signature does not match the release", "sign the release again")                   \
    X(BelowThreshold, ERROR, "the release has fewer valid signatures than the node requires",                          \
      "add signatures, or add the missing public keys to the trust folder")                                            \
    X(TrustUnreadable, ERROR, "the agent cannot read the trust folder or a key in it", "see the message")              \
    X(SequenceTooLow, ERROR, "the sequence is below one that this node has committed",                                 \
      "raise the sequence, or sign with downgradeFrom")                                                                \
    X(SequenceReused, ERROR, "this node has committed another release with the same sequence",                         \
      "sign it with a higher sequence")                                                                                \
    X(DowngradeUsed, ERROR, "this node has gone down to this release before, and a downgrade serves once",             \
      "sign a new release")                                                                                            \
    X(OldFormat, ERROR, "the release lacks a signed field that nodes require before they start it",                    \
      "see the message; make the release again with release create")                                                   \
    X(Expired, ERROR, "the release has expired", "sign it with a later expires")                                       \
    X(ObjectRefused, ERROR, "the object or its file is invalid", "see the message; correct the object")                \
    /* this node cannot run the release */                                                                             \
    X(NoArtifactForArch, WARNING, "the release has no artifact for this architecture",                                 \
      "add an artifact if this node should run the release")                                                           \
    X(RequirementsNotMet, WARNING, "the node does not meet the requirements of the artifact", "see the message")       \
    X(NotInPod, WARNING, "the release needs an action that a pod cannot do", "run the agent on the host")              \
    X(NotOnHost, WARNING, "the release is the agent itself, and no supervisor watches this agent",                     \
      "run the agent on the host in host mode, or update it as it was installed")

enum hf_reason {
#define HF_REASON_ENUM(name, ...) HF_R_##name,
    HF_REASONS(HF_REASON_ENUM)
#undef HF_REASON_ENUM
        HF_R_COUNT,
};

const char *hf_reason_name(enum hf_reason reason);
const char *hf_reason_meaning(enum hf_reason reason);
const char *hf_reason_remedy(enum hf_reason reason);
enum hf_reason hf_reason_of(const char *name); /* HF_R_COUNT: no such name */

/* Returns the level to log it at: mostly, Error needs a person; at Warning the node continues alone. */
enum hf_log_level hf_reason_level(enum hf_phase phase, enum hf_reason reason);

/* Whether the release failed here: RolledBack, Rejected, Committed with BootFailed, or RollingBack for such reasons
 * as HealthFailed. */
bool hf_reason_is_failure(enum hf_phase phase, enum hf_reason reason);

/* Returns the reason for the -errno of a file operation. */
enum hf_reason hf_reason_of_errno(int r);
