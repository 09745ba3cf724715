"""What the terminal says in Portuguese, a line a text: `key|text`; read by `firmware.ui.texts`."""

TABLE = """
ok|OK
back|Voltar
clear|Apagar
stop|Parar
later|Depois
yes|Sim
print|Imprimir
show|Ver
done|Fim
out|Sair
try|Repetir
copy|Cópia
online|Rede
searching|À procura
offline|Sem rede
starting|A iniciar
your_pin|O seu código, depois #
wrong_pin|Código errado
tries_left|Este código está errado. Tentativas até à pausa: {}
locked|Aguarde
locked_for|Muitos códigos errados. Tente de novo em {} s.
menu|Menu
m_sell|Vender recargas
m_topup|Carregar um número
m_meter|Electricidade
m_bill|Pagar uma factura
again|Mais um
which_operator|Que operadora?
to_topup|Número
to_meter|Contador
to_bill|Referência
number|Número
type_topup|O número, depois #
type_meter|O número do contador, depois #
type_bill|A referência, depois #
once_more|Outra vez
type_again|O mesmo número outra vez
not_the_same|Os dois não são iguais. Pergunte ao cliente e comece de novo.
check_it|Veja de novo
bad_length|Deve ter {} algarismos. Conte-os com o cliente.
bad_start|Os números desta operadora começam por {}
bad_meter|Um algarismo está errado: não é um contador. Leia outra vez.
favourite|Favorito
favourites|Favoritos
all|Tudo
fav_on|{}: tecla {} dos favoritos.
fav_off|{}: já não é favorito.
fav_full|São nove no máximo. Retire um primeiro, na página dele.
of_another|Este número parece ser da {}, não da {}. Vender?
is_it|É este?
amount|Montante
at_least|No mínimo
at_most|No máximo
in_steps_of|Múltiplos de
in_stock|Em stock
still|Resta
only_online|Só se vende com rede. Nada foi vendido.
wait_name|A perguntar de quem é
no_name|Ninguém disse de quem é. Nada foi vendido.
pending|Ainda por decidir
pending_t|A venda {} foi enviada. Não a repita: pergunta-se por ela sozinho.
key_first|PRIMEIRO digite os códigos de chave ({}), por esta ordem:
key_n|Código de chave {} de {}
then_token|DEPOIS o código de crédito:
token_n|Código {} de {}
d_customer|Cliente
d_units_kwh|Unidades kWh
d_tariff|Tarifa
d_tax|Imposto
d_arrears|Em atraso
d_fixed_charge|Taxa fixa
d_free_units|Unidades grátis kWh
d_other|{}
m_reprint|Reimprimir
m_sales|Últimas vendas
wait_sales|A ler a memória das vendas
ask|Perguntar
state|Estado
sale_no|O número da venda, depois #
not_among|A venda {} não é uma das últimas 20 deste terminal.
st_out|impresso
st_doubt|em dúvida
st_ready|imprimir
st_waits|espera
st_refused|recusado
st_back|devolvido
st_unread|ilegível
st_doubt_t|O recibo talvez tenha saído. Se o cliente não o tem, imprima cópia.
st_waits_t|Pergunte: é a mesma venda, nunca uma segunda.
st_back_t|Não foi vendida. O saldo foi devolvido.
m_day|Relatórios, turno
m_float|Saldo
m_messages|Mensagens
m_language|Língua
m_info|Este terminal
waiting|Vendas por acabar: {}. Entre com o código.
m_unfinished|Venda por acabar
float|Saldo
commission|Comissão
sell_what|Vender o quê?
sell_q|Vender {}?
float_now|Saldo agora
float_after|Saldo depois
checking|A ver impressora
wait_printer|A perguntar à impressora se tem papel
no_paper|Sem papel
paper_out|Ponha um rolo novo e feche a tampa. Nada foi vendido.
cover_open|Feche a tampa da impressora. Nada foi vendido.
printer_bad|Impressora
weak|Bateria fraca
weak_t|Carregue-a: um recibo podia parar a meio. Nada foi vendido.
error|A impressora tem avaria. Desligue e ligue. Nada foi vendido.
selling|A vender
wait_network|À procura da rede
wait_office|A perguntar ao escritório
wait_server|A perguntar ao servidor
wait_print|A imprimir o recibo
wait_report|A imprimir o relatório
no_network|Sem rede
n_no_sim|Sem cartão SIM
n_sim_locked|SIM bloqueado
n_denied|SIM recusado
n_no_gprs|Sem dados
n_no_modem|Avaria do modem
stock_q|Vender do stock deste terminal? Restam: {}
sms|SMS
sms_q|Sem dados. Pedir por SMS? Um SMS é pago.
wait_sms|Pedido por SMS. Pode levar um minuto.
no_answer|Sem resposta
no_answer_t|A venda {} está guardada. Pergunte já, ou depois no menu.
sold|Vendido
sold_t|Entregue o recibo.
sold_unsure|Veja o recibo. Se não está inteiro, imprima cópia.
not_sold|Não vendido
not_printed|Não impresso
np_paper_out|Acabou o papel. Ponha um rolo novo e imprima de novo.
np_cover_open|A tampa está aberta. Feche-a e imprima de novo.
np_error|A impressora parou. Desligue, ligue e imprima de novo.
pin_is|Código
show_pin_q|Mostrar o código no ecrã? Copie-o para o cliente.
cut|Venda cortada
cut_print|Venda {}, {}: o cliente tem o recibo? Se não, imprima um DUPLICADO.
cut_ask|Venda {}, {}: o servidor não respondeu. Perguntar agora?
no_last|Ainda não há venda para reimprimir.
last_q|Reimprimir a venda {}, com a marca DUPLICADO? {}
no_messages|Sem mensagens.
sales|Vendas
total|Total
unsynced|Por enviar
reprints|Cópias
release|Versão
slot|Lado
terminal|Terminal
signal|Sinal
battery|Bateria
time|Hora
on_trial|em teste
e_no_float|Saldo baixo de mais. Carregue-o e depois venda.
e_offline_amount|Caro de mais sem rede. Escolha menor ou espere.
e_offline_count|Limite de vendas sem rede atingido. Espere pela rede.
e_offline_total|Limite de dinheiro sem rede atingido. Espere pela rede.
e_offline_age|Muito tempo sem rede. Vá onde há sinal e depois venda.
e_no_stock|Não há mais deste tipo em stock. Escolha outro ou espere pela rede.
e_unknown_product|Este produto já não se vende. Escolha outro.
e_journal_full|Memória das vendas cheia. Espere pela rede: esvazia-se sozinha.
e_pending_sale|Acabe primeiro a venda que espera: veja o menu.
e_spoiled|Esta recarga não se lê. Nada é cobrado. Venda outra.
e_unreadable|Esta recarga não se lê agora. Procure rede e depois imprima.
e_conflict|O servidor tem outra venda com este número. Chame o seu agente.
e_price_changed|O preço ou a comissão mudou. Veja de novo ou tente depois.
e_no_vouchers|A operadora não tem recargas agora. Venda outra ou tente depois.
e_bad_recipient|Este número é desconhecido. Pergunte ao cliente e repita.
e_supplier_refused|O fornecedor recusa esta venda. Nada é cobrado.
e_supplier_down|Fornecedor sem ligação. Nada é cobrado. Tente depois.
e_restoring|O escritório está em reposição. Venda do stock ou tente depois.
e_blocked|Este terminal está bloqueado. Chame o seu agente.
e_other|Recusado pelo servidor ({}). Se continuar, chame o seu agente.
service|Para reparar
s_config|Definições em falta ou estragadas. Leve o terminal ao técnico.
s_catalogue|Tabela de preços em falta ou estragada. Volta com a rede.
s_journal|A memória das vendas não se lê. Não venda. Chame um técnico.
r_duplicate|DUPLICADO
r_copy|Cópia
r_serial|Série
r_tax|NIF
r_vat|IVA {}% incl.
r_dial|Marque
r_help|Ajuda
r_valid|Válido até
r_sale|Venda
r_thanks|Obrigado
r_day|RELATÓRIO DO DIA
r_offline|do stock
m_pin|O meu código
m_people|Pessoas
owner|Dono
cashier|Caixa
technician|Técnico
add|Juntar pessoa
name|Nome
rename|Outro nome
remove|Retirar
pin_give|Código novo
pin_old|O seu código atual
pin_new|Código novo: {} a {} dígitos
pin_again|Repita o código novo
pin_short|O código é curto demais. Nada mudou.
pin_easy|Um ladrão tenta esse código primeiro. Escolha outro.
pin_differs|Os dois códigos diferem. Nada mudou.
pin_kept|O código novo vale a partir de agora.
not_kept|A memória não grava. Nada mudou. Chame um técnico.
remove_q|Retirar {}? As vendas guardam o nome.
people_kept|Guardado neste terminal.
spell|Mesma tecla: outra letra
spell_on|B: letra seguinte
cancel|Anular
cancel_q|Anular a venda {}? Só se o cliente não tem nada dela. O escritório decide.
cancel_kept|Venda {}: o terminal pergunta de novo ao escritório. Não a entregue.
cancel_no|O escritório não anula. Entregue-a ao cliente.
e_cancelled|Esta venda está anulada. Nada é cobrado.
r_cancelled|VENDA ANULADA
m_shift|Turno
m_z|Relatório Z
rp_today|Hoje
rp_yesterday|Ontem
rp_week|Esta semana
rp_x|X: desde o último Z
shift_open|Abrir turno
shift_close|Fechar turno
shift_is_open|O turno está aberto. Feche-o aqui ao sair.
cash_now|Dinheiro na caixa agora
cash_count|Conte o dinheiro da caixa
cash_start|No início
cash_expected|Esperado
cash_counted|Contado
difference|Diferença
make|Fazer
z_make|Fazer o Z seguinte
z_copy|Cópia de um Z
z_number|Número do relatório Z
z_none|O relatório Z {} não está neste terminal.
r_x|RELATÓRIO X
r_z|RELATÓRIO Z {}
r_week|RELATÓRIO DA SEMANA
r_shift|TURNO FECHADO
r_records|Registos
r_digest|Resumo
deposit|Depósito
paid_out|Levantamento
float_then|Saldo depois
s_stolen|Terminal roubado. Não vende nada. Quem o tem ligue para:
s_wiped|Tempo demais sem o escritório: o stock foi apagado. Procure rede.
no|Não
m_set|Som, ecrã
snd|Som
snd_all|Teclas, resultados
snd_results|Só resultados
snd_off|Sem som
contrast|Contraste
contrast_t|A mais, B menos. # guarda.
m_service|Assistência
versions|Versões
self_test|Autoteste
sim_network|SIM, rede
not_tested|Não testado
hardware|Equipamento
bootloader|Arranque
prices|Preços
settings|Definições
channel|Canal
server|Servidor
memory|Memória
program|Programa
keys|Teclas
display|Ecrã
clock|Relógio
sim|Cartão SIM
modem|Modem
faulty|AVARIA
press_all|Cada tecla uma vez. Faltam: {}
lcd_watch|Todos os pontos acendem 3 s. Procure falhas.
lcd_q|Acenderam todos?
t_battery|{} mV: carregue, ou troque a bateria.
t_clock|Está parado ou errado: troque a pilha, depois a placa.
t_memory|O que se grava não se lê: troque a placa.
t_program|Está danificado: carregue-o de novo por cabo.
t_keys|Sem resposta de: {}
t_lcd|Faltam pontos: troque o ecrã.
t_mute|Não responde: veja o cabo e a alimentação.
operator|Operador
registered|Registado
rg_none|não
rg_home|na rede própria
rg_search|a procurar
rg_denied|recusado
rg_roam|em roaming
cell|Célula
address|Endereço IP
wait_modem|A perguntar ao modem
r_service|FICHA TÉCNICA
m_training|Formação
tr_q|Venda para aprender. Nada se vende nem se envia. Acaba aqui ou ao desligar.
tr_end|Fim
tr_mark|FORMAÇÃO - NÃO VENDIDO
tr_paper|FORMAÇÃO: SEM VALOR
tr_name|Um cliente
tr_done|Rasgue o talão: não vale nada.
shift_copy|Cópia de um turno
no_shifts|Nenhum turno fechado neste terminal.
closed|Fechado
"""
