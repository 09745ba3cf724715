"""The preset dictionary of news: what signed files are likely to say, so that a patch need not
spell it. For `news`. The text is docs/formats/preset-1.txt, and never changes: another one has
another number.
"""

PRESET = (
    b'"_type":"snapshot","expires":"2027-00-00T00:00:00Z","log":"","meta":{"alpha.json":{"versio'
    b'n":1},"brake-alpha.json":{"version":1},"brake-stable.json":{"version":1},"catalogue.json":'
    b'{"hashes":{"sha256":""},"version":2},"rollout-alpha.json":{"version":1},"rollout-stable.js'
    b'on":{"hashes":{"sha256":""},"version":2},"targets.json":{"version":1}},"spec_version":"1.0'
    b'.31","version":1}}"roles":[{"keyids":[""],"name":"stable","paths":["stable/*/*"],"terminat'
    b'ing":true,"threshold":2},{"keyids":[""],"name":"rollout-stable","paths":["rollout/stable/*'
    b'"],"terminating":true,"threshold":1}]},"_type":"targets","expires":"2027-00-00T00:00:00Z",'
    b'"log":"","spec_version":"1.0.31","targets":{"stable/duka-r1/2-from-1.patch":{"hashes":{"sh'
    b'a256":""},"length":1000},"stable/duka-r1/2.full":{"custom":{"built":1790000000,"commit":""'
    b',"gate":{"battery_mv":3600,"idle_s":10,"unsynced_records":50},"hardware":{"class":"duka-r1'
    b'","revisions":[1]},"image":{"sha256":"","size_bytes":250000},"journal":{"reads":[1],"write'
    b's":1},"min_bootloader":1,"pace":[2,3000,3,24,0,1000000],"payloads":[{"kind":"full","path":'
    b'"stable/duka-r1/2.full"},{"base_sha256":"","kind":"patch","path":"stable/duka-r1/2-from-1.'
    b'patch"}],"release":2,"security_version":1,"stepping_stone":0,"text":{"en":"","fr":""},"tri'
    b'al":{"crashes_allowed":2,"selftest_deadline_s":300,"unconfirmed_boots_allowed":16},"versio'
    b'n":"1.0.0"},"hashes":{"sha256":""},"length":100000}},"version":2}}"targets":{"rollout/stab'
    b'le/plan.json":{"custom":{"control":{"2":[0,0]},"flags":{},"halted":[],"releases":{"2":["",'
    b'10000]},"within":{"2":0}},"hashes":{"sha256":""},"length":100}},"version":2}}'
)
