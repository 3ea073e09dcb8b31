# The native peer: openmined-psi, both sides in one process. Prints its version, or what a run of so many items took.
import json
import sys
import time
from importlib.metadata import version

import private_set_intersection.python as psi

if sys.argv[1] == "version":
    print(version("openmined-psi"))
    sys.exit()

count = int(sys.argv[1])
own, other = ([str(110101190000000000 + i + party * count // 2) for i in range(count)] for party in (0, 1))
start = time.perf_counter()
client = psi.client.CreateWithNewKey(True)
server = psi.server.CreateWithNewKey(True)
setup = server.CreateSetupMessage(1e-9, count, other, psi.DataStructure.RAW)
request = client.CreateRequest(own)
response = server.ProcessRequest(request)
found = client.GetIntersection(setup, response)
seconds = time.perf_counter() - start
if len(found) != count // 2:
    sys.exit("the intersection of openmined-psi is wrong")
sizes = [len(message.SerializeToString()) for message in (setup, request, response)]
print(json.dumps({"seconds": seconds, "bytes": sum(sizes)}))
