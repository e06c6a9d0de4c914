"""What pysparkplug makes of a station, and its request of a birth: python sparkplug.py PORT SECONDS."""

import json
import sys
import time

from paho.mqtt import client as mqtt
from pysparkplug import DataType, Message, MessageType, Metric, NCmd, QoS, Topic

port, seconds = int(sys.argv[1]), float(sys.argv[2])
heard = []
births = {}


def plain(value):
    return value.hex() if isinstance(value, bytes) else value


def on_message(client, _, message):
    topic = Topic.from_str(message.topic)
    if topic.message_type in (MessageType.NCMD, MessageType.DCMD):
        return
    key = (topic.edge_node_id, topic.device_id)
    payload = Message.from_mqtt_message(message, birth=births.get(key)).payload
    if topic.message_type in (MessageType.NBIRTH, MessageType.DBIRTH):
        births[key] = payload
    metrics = getattr(payload, "metrics", None)
    if metrics is None:
        metrics = [payload.bd_seq_metric] if hasattr(payload, "bd_seq_metric") else []
    heard.append(
        {
            "kind": str(topic.message_type.value),
            "node": topic.edge_node_id,
            "device": topic.device_id,
            "seq": getattr(payload, "seq", None),
            "qos": message.qos,
            "retain": message.retain,
            "metrics": {m.name: plain(m.value) for m in metrics},
            "types": {m.name: m.datatype.name for m in metrics},
            "historical": any(m.is_historical for m in metrics),
        }
    )


def rebirth(client):
    topic = Topic(message_type=MessageType.NCMD, group_id="hall", edge_node_id="line 1")
    metric = Metric(
        timestamp=int(time.time() * 1000),
        name="Node Control/Rebirth",
        datatype=DataType.BOOLEAN,
        value=True,
    )
    command = NCmd(timestamp=int(time.time() * 1000), metrics=(metric,))
    client.publish(str(topic), command.encode(include_dtypes=True), qos=0)


client = mqtt.Client("pysparkplug")
client.on_message = on_message
client.on_connect = lambda client, *_: client.subscribe("spBv1.0/hall/#", qos=1)
client.connect("127.0.0.1", port)
client.loop_start()
print("listening", flush=True)
time.sleep(seconds / 2)
rebirth(client)
time.sleep(seconds / 2)
client.loop_stop()
print(json.dumps(heard))
