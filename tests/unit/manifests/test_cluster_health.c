/* SPDX-License-Identifier: Apache-2.0 */
/* Rules of health (manifests/cluster/health.h): one row for each decision. */
#include "manifests/cluster/health.h"

#include <string.h>

#include "support/check_main.h"

#define CUR HF_CLUSTER_CURRENT
#define GOES HF_CLUSTER_IN_PROGRESS
#define BAD HF_CLUSTER_FAILED
#define ENDS HF_CLUSTER_TERMINATING

/* An object in short: apiVersion, kind, and the fields after them. */
static const struct {
    const char *name, *api_version, *kind, *more;
    enum hf_cluster_health_state state;
    const char *why;
} cases[] = {
    /* every kind */
    {"unknown kind", "example.com/v1", "Thing", "", CUR, ""},
    {"being deleted", "apps/v1", "Deployment", "'metadata':{'deletionTimestamp':'2026-01-01T00:00:00Z'}", ENDS,
     "deleted"},
    {"old generation", "example.com/v1", "Thing", "'metadata':{'generation':3},'status':{'observedGeneration':2}", GOES,
     "newest generation"},
    {"same generation", "example.com/v1", "Thing", "'metadata':{'generation':3},'status':{'observedGeneration':3}", CUR,
     ""},
    {"no observed generation", "example.com/v1", "Thing", "'metadata':{'generation':3}", CUR, ""},
    {"reconciling", "example.com/v1", "Thing",
     "'status':{'conditions':[{'type':'Reconciling','status':'True','reason':'Busy','message':'two of three'}]}", GOES,
     "Busy: two of three"},
    {"stalled", "example.com/v1", "Thing",
     "'status':{'conditions':[{'type':'Stalled','status':'True','reason':'Broken','message':'no way'}]}", BAD,
     "Broken: no way"},
    {"stalled, false", "example.com/v1", "Thing", "'status':{'conditions':[{'type':'Stalled','status':'False'}]}", CUR,
     ""},
    {"ready", "example.com/v1", "Thing", "'status':{'conditions':[{'type':'Ready','status':'True'}]}", CUR, ""},
    {"not ready", "example.com/v1", "Thing", "'status':{'conditions':[{'type':'Ready','status':'False','reason':'X'}]}",
     GOES, "X"},
    {"ready unknown", "example.com/v1", "Thing", "'status':{'conditions':[{'type':'Ready','status':'Unknown'}]}", GOES,
     "Ready"},
    {"a kind of another group", "example.com/v1", "Deployment", "", CUR, ""},
    {"no object", "v1", "ConfigMap", "'status':7", CUR, ""},
    /* always current */
    {"config map", "v1", "ConfigMap", "", CUR, ""},
    {"secret", "v1", "Secret", "", CUR, ""},
    {"cron job", "batch/v1", "CronJob", "", CUR, ""},
    {"budget", "policy/v1", "PodDisruptionBudget", "", CUR, ""},
    /* Deployment */
    {"deployment without status", "apps/v1", "Deployment", "", GOES, "0 of 1 replicas exist"},
    {"not updated", "apps/v1", "Deployment", "'spec':{'replicas':2},'status':{'replicas':2,'updatedReplicas':1}", GOES,
     "1 of 2 replicas are updated"},
    {"old pods end", "apps/v1", "Deployment", "'spec':{'replicas':1},'status':{'replicas':2,'updatedReplicas':1}", GOES,
     "1 replicas still end"},
    {"not available", "apps/v1", "Deployment", "'status':{'replicas':1,'updatedReplicas':1}", GOES,
     "0 of 1 replicas are available"},
    {"not ready", "apps/v1", "Deployment", "'status':{'replicas':1,'updatedReplicas':1,'availableReplicas':1}", GOES,
     "0 of 1 replicas are ready"},
    {"condition missing", "apps/v1", "Deployment",
     "'status':{'replicas':1,'updatedReplicas':1,'availableReplicas':1,'readyReplicas':1}", GOES, "Available"},
    {"available", "apps/v1", "Deployment",
     "'status':{'replicas':1,'updatedReplicas':1,'availableReplicas':1,'readyReplicas':1,"
     "'conditions':[{'type':'Available','status':'True'}]}",
     CUR, ""},
    {"progress expected", "apps/v1", "Deployment",
     "'spec':{'progressDeadlineSeconds':600},"
     "'status':{'replicas':1,'updatedReplicas':1,'availableReplicas':1,'readyReplicas':1,"
     "'conditions':[{'type':'Available','status':'True'},{'type':'Progressing','status':'True',"
     "'reason':'ReplicaSetUpdated'}]}",
     GOES, "ReplicaSet"},
    {"complete", "apps/v1", "Deployment",
     "'spec':{'progressDeadlineSeconds':600},"
     "'status':{'replicas':1,'updatedReplicas':1,'availableReplicas':1,'readyReplicas':1,"
     "'conditions':[{'type':'Available','status':'True'},{'type':'Progressing','status':'True',"
     "'reason':'NewReplicaSetAvailable'}]}",
     CUR, ""},
    {"deadline", "apps/v1", "Deployment",
     "'status':{'conditions':[{'type':'Progressing','status':'False','reason':'ProgressDeadlineExceeded'}]}", BAD,
     "ProgressDeadlineExceeded"},
    {"no replicas wanted", "apps/v1", "Deployment",
     "'spec':{'replicas':0},'status':{'conditions':[{'type':'Available','status':'True'}]}", CUR, ""},
    /* StatefulSet */
    {"set without status", "apps/v1", "StatefulSet", "", GOES, "0 of 1 replicas exist"},
    {"set by hand", "apps/v1", "StatefulSet", "'spec':{'updateStrategy':{'type':'OnDelete'}}", CUR, ""},
    {"set not ready", "apps/v1", "StatefulSet", "'status':{'replicas':1}", GOES, "ready"},
    {"set with too many", "apps/v1", "StatefulSet", "'status':{'replicas':2,'readyReplicas':2}", GOES, "still end"},
    {"set not current", "apps/v1", "StatefulSet", "'status':{'replicas':1,'readyReplicas':1}", GOES, "current"},
    {"set of two revisions", "apps/v1", "StatefulSet",
     "'status':{'replicas':1,'readyReplicas':1,'currentReplicas':1,'currentRevision':'a','updateRevision':'b'}", GOES,
     "revision"},
    {"set current", "apps/v1", "StatefulSet",
     "'status':{'replicas':1,'readyReplicas':1,'currentReplicas':1,'currentRevision':'b','updateRevision':'b'}", CUR,
     ""},
    {"set before its partition", "apps/v1", "StatefulSet",
     "'spec':{'replicas':3,'updateStrategy':{'rollingUpdate':{'partition':1}}},"
     "'status':{'replicas':3,'readyReplicas':3,'updatedReplicas':1}",
     GOES, "1 of 2 replicas beyond the partition"},
    {"set at its partition", "apps/v1", "StatefulSet",
     "'spec':{'replicas':3,'updateStrategy':{'rollingUpdate':{'partition':1}}},"
     "'status':{'replicas':3,'readyReplicas':3,'updatedReplicas':2,'currentRevision':'a','updateRevision':'b'}",
     CUR, ""},
    /* ReplicaSet */
    {"replicas fail", "apps/v1", "ReplicaSet",
     "'status':{'conditions':[{'type':'ReplicaFailure','status':'True','reason':'FailedCreate'}]}", GOES,
     "FailedCreate"},
    {"replicas without labels", "apps/v1", "ReplicaSet", "", GOES, "labels"},
    {"replicas not available", "apps/v1", "ReplicaSet", "'status':{'fullyLabeledReplicas':1}", GOES, "available"},
    {"replicas not ready", "apps/v1", "ReplicaSet", "'status':{'fullyLabeledReplicas':1,'availableReplicas':1}", GOES,
     "ready"},
    {"replicas too many", "apps/v1", "ReplicaSet",
     "'status':{'replicas':2,'fullyLabeledReplicas':1,'availableReplicas':1,'readyReplicas':1}", GOES, "still end"},
    {"replicas", "apps/v1", "ReplicaSet",
     "'status':{'replicas':1,'fullyLabeledReplicas':1,'availableReplicas':1,'readyReplicas':1}", CUR, ""},
    /* DaemonSet */
    {"daemons not counted", "apps/v1", "DaemonSet", "'metadata':{'generation':1}", GOES, "counted"},
    {"daemons without number", "apps/v1", "DaemonSet", "'metadata':{'generation':1},'status':{'observedGeneration':1}",
     GOES, "counted"},
    {"daemons not scheduled", "apps/v1", "DaemonSet",
     "'metadata':{'generation':1},'status':{'observedGeneration':1,'desiredNumberScheduled':2}", GOES, "scheduled"},
    {"daemons not updated", "apps/v1", "DaemonSet",
     "'metadata':{'generation':1},'status':{'observedGeneration':1,'desiredNumberScheduled':2,"
     "'currentNumberScheduled':2,'updatedNumberScheduled':1}",
     GOES, "1 of 2 pods are updated"},
    {"daemons not available", "apps/v1", "DaemonSet",
     "'metadata':{'generation':1},'status':{'observedGeneration':1,'desiredNumberScheduled':2,"
     "'currentNumberScheduled':2,'updatedNumberScheduled':2}",
     GOES, "available"},
    {"daemons not ready", "apps/v1", "DaemonSet",
     "'metadata':{'generation':1},'status':{'observedGeneration':1,'desiredNumberScheduled':2,"
     "'currentNumberScheduled':2,'updatedNumberScheduled':2,'numberAvailable':2,'numberReady':1}",
     GOES, "1 of 2 pods are ready"},
    {"daemons", "apps/v1", "DaemonSet",
     "'metadata':{'generation':1},'status':{'observedGeneration':1,'desiredNumberScheduled':2,"
     "'currentNumberScheduled':2,'updatedNumberScheduled':2,'numberAvailable':2,'numberReady':2}",
     CUR, ""},
    {"daemons on no node", "apps/v1", "DaemonSet",
     "'metadata':{'generation':1},'status':{'observedGeneration':1,'desiredNumberScheduled':0}", CUR, ""},
    /* PersistentVolumeClaim */
    {"claim waits", "v1", "PersistentVolumeClaim", "'status':{'phase':'Pending'}", GOES, "Pending"},
    {"claim without status", "v1", "PersistentVolumeClaim", "", GOES, "unknown"},
    {"claim is bound", "v1", "PersistentVolumeClaim", "'status':{'phase':'Bound'}", CUR, ""},
    /* Pod */
    {"pod not seen", "v1", "Pod", "", GOES, "phase"},
    {"pod pending", "v1", "Pod", "'status':{'phase':'Pending'}", GOES, "Pending"},
    {"pod without a node", "v1", "Pod",
     "'status':{'phase':'Pending','conditions':[{'type':'PodScheduled','status':'False','reason':'Unschedulable',"
     "'message':'0/1 nodes'}]}",
     GOES, "Unschedulable: 0/1 nodes"},
    {"pod not ready", "v1", "Pod", "'status':{'phase':'Running'}", GOES, "not ready"},
    {"pod crashes", "v1", "Pod",
     "'status':{'phase':'Running','containerStatuses':[{'name':'ok','state':{'running':{}}},{'name':'web',"
     "'state':{'waiting':{'reason':'CrashLoopBackOff'}}}]}",
     BAD, "container 'web'"},
    {"pod waits for its image", "v1", "Pod",
     "'status':{'phase':'Running','containerStatuses':[{'name':'web','state':{'waiting':{'reason':'ErrImagePull'}}}]}",
     GOES, "not ready"},
    {"pod ready", "v1", "Pod", "'status':{'phase':'Running','conditions':[{'type':'Ready','status':'True'}]}", CUR, ""},
    {"pod succeeded", "v1", "Pod", "'status':{'phase':'Succeeded'}", CUR, ""},
    {"pod failed", "v1", "Pod", "'status':{'phase':'Failed','reason':'Evicted'}", BAD, "Evicted"},
    /* Job */
    {"job not begun", "batch/v1", "Job", "", GOES, "not begun"},
    {"job runs", "batch/v1", "Job", "'status':{'startTime':'2026-01-01T00:00:00Z'}", CUR, ""},
    {"job complete", "batch/v1", "Job", "'status':{'conditions':[{'type':'Complete','status':'True'}]}", CUR, ""},
    {"job suspended", "batch/v1", "Job", "'status':{'conditions':[{'type':'Suspended','status':'True'}]}", CUR, ""},
    {"job failed", "batch/v1", "Job",
     "'status':{'startTime':'x','conditions':[{'type':'Failed','status':'True','reason':'BackoffLimitExceeded'}]}", BAD,
     "BackoffLimitExceeded"},
    /* Service */
    {"service", "v1", "Service", "", CUR, ""},
    {"balancer without address", "v1", "Service", "'spec':{'type':'LoadBalancer'}", GOES, "address"},
    {"balancer", "v1", "Service", "'spec':{'type':'LoadBalancer','clusterIP':'10.0.0.1'}", CUR, ""},
    /* CustomResourceDefinition */
    {"kind installs", "apiextensions.k8s.io/v1", "CustomResourceDefinition", "", GOES, "does not serve"},
    {"kind installs still", "apiextensions.k8s.io/v1", "CustomResourceDefinition",
     "'status':{'conditions':[{'type':'Established','status':'False','reason':'Installing'}]}", GOES, "does not serve"},
    {"kind refused", "apiextensions.k8s.io/v1", "CustomResourceDefinition",
     "'status':{'conditions':[{'type':'Established','status':'False','reason':'NotAccepted'}]}", BAD, "NotAccepted"},
    {"kind's names taken", "apiextensions.k8s.io/v1", "CustomResourceDefinition",
     "'status':{'conditions':[{'type':'NamesAccepted','status':'False','reason':'ListKindConflict'},"
     "{'type':'Established','status':'True'}]}",
     BAD, "ListKindConflict"},
    {"kind served", "apiextensions.k8s.io/v1", "CustomResourceDefinition",
     "'status':{'conditions':[{'type':'NamesAccepted','status':'True'},{'type':'Established','status':'True'}]}", CUR,
     ""},
};

START_TEST(each_rule)
{
    char text[1000];
    json_error_t at;

    (void)snprintf(text, sizeof(text), "{'apiVersion':'%s','kind':'%s'%s%s}", cases[_i].api_version, cases[_i].kind,
                   *cases[_i].more != '\0' ? "," : "", cases[_i].more);
    for (char *p = text; *p != '\0'; p++)
        if (*p == '\'')
            *p = '"';
    json_t *object = json_loads(text, 0, &at);
    ck_assert_msg(object != NULL, "%s: %s", cases[_i].name, at.text);
    struct hf_cluster_health health = hf_cluster_health_of(object);
    ck_assert_msg(health.state == cases[_i].state, "%s: state %d, %s", cases[_i].name, health.state, health.why);
    ck_assert_msg(strstr(health.why, cases[_i].why) != NULL, "%s: '%s'", cases[_i].name, health.why);
    ck_assert_msg((health.state == CUR) == (*health.why == '\0'), "%s: '%s'", cases[_i].name, health.why);
    json_decref(object);
}
END_TEST

static void add_cases(TCase *tc)
{
    tcase_add_loop_test(tc, each_rule, 0, (int)HF_LEN(cases));
}
HF_TEST_MAIN("manifests/cluster/health", add_cases)
