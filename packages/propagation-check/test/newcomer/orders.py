"""A gRPC service without a .proto file. Prints its port."""
from concurrent import futures

import grpc

work = grpc.unary_unary_rpc_method_handler(lambda request, context: b"{}")
server = grpc.server(futures.ThreadPoolExecutor(4))
server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("shop.Orders", {"Work": work}),))
port = server.add_insecure_port("127.0.0.1:0")
server.start()
print(f"listening on {port}", flush=True)
server.wait_for_termination()
